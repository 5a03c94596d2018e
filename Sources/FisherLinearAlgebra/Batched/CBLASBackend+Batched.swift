import FisherRuntime

// Loops over the library's routines for one matrix, each on a contiguous copy. Rows of a lower triangle are columns of an
// upper one in LAPACK's order.

extension CBLASBackend {
  /// potrf and potri.
  @specialized(where S == Float) @specialized(where S == Double)
  public func invertPositiveDefinite<S: KernelScalar>(
    _ calls: UnsafeBufferPointer<BatchedMatrices<S>>, threads: Int
  ) {
    let lapack = library.functions(for: S.self).lapack
    guard let potrf = lapack.potrf, let potri = lapack.potri, fit(calls) else {
      return fallback.invertPositiveDefinite(calls, threads: threads)
    }
    each(calls, threads, readsAll: false) { a, n, pivots in
      var (n, info) = (n, 0)
      potrf("U", &n, a, &n, &info)
      if let failed = Self.failure(info) { return failed }
      for i in 0..<n { pivots[i] = a[i * n + i] * a[i * n + i] }
      potri("U", &n, a, &n, &info)
      for r in 0..<n { for c in 0..<r { a[c * n + r] = a[r * n + c] } }
      return nil
    }
  }

  /// potrf.
  @specialized(where S == Float) @specialized(where S == Double)
  public func factorCholesky<S: KernelScalar>(
    _ calls: UnsafeBufferPointer<BatchedMatrices<S>>, threads: Int
  ) {
    guard let potrf = library.functions(for: S.self).lapack.potrf, fit(calls) else {
      return fallback.factorCholesky(calls, threads: threads)
    }
    each(calls, threads, readsAll: false) { a, n, pivots in
      var (n, info) = (n, 0)
      potrf("U", &n, a, &n, &info)
      if let failed = Self.failure(info) { return failed }
      for i in 0..<n {
        pivots[i] = a[i * n + i] * a[i * n + i]
        for c in 0..<n where c > i { a[i * n + c] = 0 }
      }
      return nil
    }
  }

  /// getrf and getri.
  @specialized(where S == Float) @specialized(where S == Double)
  public func invertGeneral<S: KernelScalar>(
    _ calls: UnsafeBufferPointer<BatchedMatrices<S>>, threads: Int
  ) {
    let lapack = library.functions(for: S.self).lapack
    guard let getrf = lapack.getrf, let getri = lapack.getri, fit(calls) else {
      return fallback.invertGeneral(calls, threads: threads)
    }
    let largest = calls.reduce(0) { max($0, $1.order) }
    ThreadContext.current.withScratch(largest, of: Int.self) { exchanges in
      ThreadContext.current.withScratch(64 * largest, of: S.self) { work in
        each(calls, threads, readsAll: true) { a, n, pivots in
          var (n, info, room) = (n, 0, 64 * n)
          getrf(&n, &n, a, &n, exchanges, &info)
          for i in 0..<n { pivots[i] = a[i * n + i].magnitude }
          if let bad = (0..<n).first(where: { !(pivots[$0] > 0) }) { return bad }
          getri(&n, a, &n, exchanges, work, &room, &info)
          return nil
        }
      }
    }
  }

  /// potrs.
  @specialized(where S == Float) @specialized(where S == Double)
  public func solveCholesky<S: KernelScalar>(_ call: BatchedSolve<S>, threads: Int) {
    var (n, m, info) = (call.factor.rows, call.right.columns, 0)
    guard let potrs = library.functions(for: S.self).lapack.potrs, n > 0, m > 0, fits(n | m) else {
      return fallback.solveCholesky(call, threads: threads)
    }
    library.useThreads(threads)
    ThreadContext.current.withScratch(n * n + n * m, of: S.self) { l in
      let b = l + n * n
      for i in 0..<call.count {
        for r in 0..<n { for c in 0...r { l[r * n + c] = call.factor[i, r, c] } }
        for r in 0..<n { for c in 0..<m { b[c * n + r] = call.right[i, r, c] } }
        potrs("U", &n, &m, l, &n, b, &n, &info)
        for r in 0..<n { for c in 0..<m { call.right[i, r, c] = b[c * n + r] } }
      }
    }
  }

  /// There is no such routine.
  public func addOuterProducts<S: KernelScalar>(_ call: BatchedOuterProducts<S>, threads: Int) {
    fallback.addOuterProducts(call, threads: threads)
  }

  /// There is no such routine.
  public func multiply<S: KernelScalar>(_ call: BatchedProducts<S>, threads: Int) {
    fallback.multiply(call, threads: threads)
  }

  /// There is no such routine.
  public func copy<S: KernelScalar>(
    _ source: BatchOperand<S>, to target: BatchOperand<S>, count: Int, threads: Int
  ) { fallback.copy(source, to: target, count: count, threads: threads) }

  private func fit<S: KernelScalar>(_ calls: UnsafeBufferPointer<BatchedMatrices<S>>) -> Bool {
    calls.allSatisfy { $0.order > 0 && fits($0.order) }
  }

  /// LAPACK's info as the index of a pivot.
  private static func failure(_ info: Int) -> Int? {
    let info = LAPACKFunctions.outcome(info)
    return info > 0 ? info - 1 : nil
  }

  /// Loads each matrix, damped, into rows of n (columns if all of it is read), and writes what `operation` makes of it. That also leaves the pivots, and
  /// returns the first bad one.
  @inline(__always)
  private func each<S: KernelScalar>(
    _ calls: UnsafeBufferPointer<BatchedMatrices<S>>, _ threads: Int, readsAll: Bool,
    _ operation: (_ a: UnsafeMutablePointer<S>, _ n: Int, _ pivots: UnsafeMutablePointer<S>) -> Int?
  ) {
    library.useThreads(threads)
    for call in calls {
      let n = call.order
      ThreadContext.current.withScratch(n * n + n, of: S.self) { a in
        let pivots = a + n * n
        for i in 0..<call.count {
          load(call, i, readsAll: readsAll, to: a)
          let bad = operation(a, n, pivots)
          call.outcomes[i] = Int32(bad ?? -1)
          if let logDeterminants = call.logDeterminants {
            let sum = (0..<n).reduce(0.0) { $0 + log(Double(pivots[$1])) }
            logDeterminants[i] = bad == nil ? S(sum) : .nan
          }
          if bad != nil { continue }
          let (row, column) = readsAll ? (1, n) : (n, 1)
          for r in 0..<n { for c in 0..<n { call.target[i, r, c] = a[r * row + c * column] } }
        }
      }
    }
  }

  /// Source `i`, damped: the lower triangle in rows of n, or all of it in columns.
  @inline(__always)
  private func load<S: KernelScalar>(
    _ call: BatchedMatrices<S>, _ i: Int, readsAll: Bool, to a: UnsafeMutablePointer<S>
  ) {
    let n = call.order
    for r in 0..<n {
      if readsAll {
        for c in 0..<n { a[c * n + r] = call.source[i, r, c] }
      } else {
        for c in 0...r { a[r * n + c] = call.source[i, r, c] }
      }
    }
    let damping = call.damping { a[$0 * n + $0] }
    for r in 0..<n { a[r * n + r] += damping }
  }
}
