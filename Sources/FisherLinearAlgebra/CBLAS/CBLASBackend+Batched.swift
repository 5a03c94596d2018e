import Foundation

extension CBLASBackend {
  /// A loop over the library's potrf and potri, each on a contiguous copy.
  @specialized(where S == Float) @specialized(where S == Double)
  public func invertPositiveDefinite<S: KernelScalar>(_ call: BatchedInverse<S>, threads: Int) {
    let functions = library.functions(for: S.self)
    guard let potrf = functions.potrf, let potri = functions.potri, call.order > 0, fits(call.order) else {
      return fallback.invertPositiveDefinite(call, threads: threads)
    }
    library.useThreads(threads)
    var n = call.order
    ThreadContext.current.withScratch(n * n, of: S.self) { a in
      for i in 0..<call.count {
        load(call, i, to: a)
        // Rows of the lower triangle are columns of the upper one in LAPACK's order.
        var info = 0
        potrf("U", &n, a, &n, &info)
        let failed = Int(Int32(truncatingIfNeeded: info))
        call.outcomes[i] = Int32(failed > 0 ? failed - 1 : -1)
        if let logDeterminants = call.logDeterminants {
          let sum = (0..<n).reduce(0.0) { $0 + 2 * log(Double(a[$1 * n + $1])) }
          logDeterminants[i] = failed > 0 ? .nan : S(sum)
        }
        if failed > 0 { continue }
        potri("U", &n, a, &n, &info)
        let target = call.target(i)
        for r in 0..<n {
          for c in 0...r {
            target[r, c] = a[r * n + c]
            target[c, r] = a[r * n + c]
          }
        }
      }
    }
  }

  /// The damped lower triangle of source `i`, in rows of n.
  @inline(__always)
  private func load<S: KernelScalar>(_ call: BatchedInverse<S>, _ i: Int, to a: UnsafeMutablePointer<S>) {
    let (n, source) = (call.order, call.source(i))
    var trace: S = 0
    for r in 0..<n {
      for c in 0...r { a[r * n + c] = source[r, c] }
      trace += source[r, r]
    }
    let damping = call.damping(trace: trace)
    for r in 0..<n { a[r * n + r] += damping }
  }
}
