import FisherRuntime
import KernelTemplates

// LAPACK's matrices are column-major, and its pivots are rows from 1 on, in its own integers.

extension CBLASBackend {
  @specialized(where S == Float) @specialized(where S == Double)
  public func factorLU<S: KernelScalar>(_ factors: LUFactors<S>, threads: Int) -> Int? {
    let a = factors.a
    guard a.rows > 0, a.columns > 0, fits(a.rows | a.columns),
      let getrf = library.functions(for: S.self).lapack.getrf
    else { return fallback.factorLU(factors, threads: threads) }
    library.useThreads(threads)
    var (m, n, info) = (a.rows, a.columns, 0)
    ThreadContext.current.withScratch(factors.count, of: Int.self) { pivots in
      withColumns(a, writesBack: true) { columns, leading in
        var leading = leading
        getrf(&m, &n, columns, &leading, pivots, &info)
      }
      for j in 0..<factors.count { factors.pivots[j] = library.integer(pivots, j) - 1 }
    }
    return factors.firstBadPivot
  }

  @specialized(where S == Float) @specialized(where S == Double)
  public func solveLU<S: KernelScalar>(
    _ factors: LUFactors<S>, transposed: Bool, _ b: MutableMatrixPointer<S>, threads: Int
  ) {
    guard b.rows > 0, b.columns > 0, fits(b.rows | b.columns),
      let getrs = library.functions(for: S.self).lapack.getrs
    else { return fallback.solveLU(factors, transposed: transposed, b, threads: threads) }
    library.useThreads(threads)
    var (n, count, info) = (b.rows, b.columns, 0)
    withFactors(factors) { a, leading, pivots in
      withColumns(b, writesBack: true) { columns, leadingB in
        var (leading, leadingB) = (leading, leadingB)
        getrs(transposed ? "T" : "N", &n, &count, a, &leading, pivots, columns, &leadingB, &info)
      }
    }
  }

  @specialized(where S == Float) @specialized(where S == Double)
  public func invertLU<S: KernelScalar>(
    _ factors: LUFactors<S>, into x: MutableMatrixPointer<S>, threads: Int
  ) {
    // getri refuses singular matrices, where the definition divides by zero.
    guard x.rows > 0, fits(64 * x.rows), let getri = library.functions(for: S.self).lapack.getri,
      factors.firstBadPivot == nil
    else { return fallback.invertLU(factors, into: x, threads: threads) }
    library.useThreads(threads)
    var (n, size, info) = (x.rows, 64 * x.rows, 0)
    copy(factors.a.readOnly, to: x)
    withFactors(LUFactors(a: x.block(0, 0, rows: 0, columns: 0), pivots: factors.pivots), count: n) {
      _, _, pivots in
      ThreadContext.current.withScratch(size, of: S.self) { work in
        withColumns(x, writesBack: true) { columns, leading in
          var leading = leading
          getri(&n, columns, &leading, pivots, work, &size, &info)
        }
      }
    }
  }

  @specialized(where S == Float) @specialized(where S == Double)
  public func reciprocalConditionLU<S: KernelScalar>(_ factors: LUFactors<S>, norm: S, threads: Int) -> S {
    var n = factors.a.rows
    guard n > 0, fits(n), let gecon = library.functions(for: S.self).lapack.gecon, norm.isFinite else {
      return fallback.reciprocalConditionLU(factors, norm: norm, threads: threads)
    }
    if factors.firstBadPivot != nil { return 0 }
    library.useThreads(threads)
    var (norm, result, info) = (norm, S(0), 0)
    return ThreadContext.current.withScratch(4 * n, of: S.self) { work in
      ThreadContext.current.withScratch(n, of: Int.self) { integers in
        withColumns(factors.a, writesBack: false) { columns, leading in
          var leading = leading
          gecon("1", &n, columns, &leading, &norm, &result, work, integers, &info)
        }
        return result
      }
    }
  }

  /// The factors as LAPACK takes them, to be read only.
  private func withFactors<S: KernelScalar>(
    _ factors: LUFactors<S>, count: Int? = nil,
    _ body: (UnsafeMutablePointer<S>, _ leading: Int, _ pivots: UnsafeMutablePointer<Int>) -> Void
  ) {
    let count = count ?? factors.count
    ThreadContext.current.withScratch(count, of: Int.self) { pivots in
      for j in 0..<count { library.setInteger(pivots, j, factors.pivots[j] + 1) }
      withColumns(factors.a, writesBack: false) { body($0, $1, pivots) }
    }
  }

  /// Lends the matrix in column-major order: itself, or a copy that is written back.
  func withColumns<S: KernelScalar>(
    _ a: MutableMatrixPointer<S>, writesBack: Bool, _ body: (UnsafeMutablePointer<S>, _ leading: Int) -> Void
  ) {
    if let leading = leadingDimension(of: a.readOnly, in: .columnMajor) {
      body(a.base, leading)
      return
    }
    ThreadContext.current.withScratch(a.rows * a.columns, of: S.self) { scratch in
      let columns = MutableMatrixPointer(
        scratch, rows: a.rows, columns: a.columns, rowStride: 1, columnStride: a.rows)
      copy(a.readOnly, to: columns)
      body(scratch, max(1, a.rows))
      if writesBack { copy(columns.readOnly, to: a) }
    }
  }
}

extension CBLASLibrary {
  /// Element i of an array of the library's integers.
  func integer(_ array: UnsafeMutablePointer<Int>, _ i: Int) -> Int {
    if largestInteger > Int(Int32.max) { return array[i] }
    return Int(UnsafeRawPointer(array).load(fromByteOffset: 4 * i, as: Int32.self))
  }

  func setInteger(_ array: UnsafeMutablePointer<Int>, _ i: Int, _ value: Int) {
    if largestInteger > Int(Int32.max) {
      array[i] = value
    } else {
      UnsafeMutableRawPointer(array).storeBytes(
        of: Int32(truncatingIfNeeded: value), toByteOffset: 4 * i, as: Int32.self)
    }
  }
}
