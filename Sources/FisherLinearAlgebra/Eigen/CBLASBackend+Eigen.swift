import FisherRuntime

extension CBLASBackend {
  /// The library's syevd, on a contiguous copy.
  @specialized(where S == Float) @specialized(where S == Double)
  public func symmetricEigen<S: KernelScalar>(_ call: SymmetricEigenCall<S>, threads: Int) -> EigenStatus {
    var n = call.order
    guard n > 0, fits(2 * n * n + 6 * n + 1), let syevd = library.functions(for: S.self).lapack.syevd else {
      return fallback.symmetricEigen(call, threads: threads)
    }
    library.useThreads(threads)
    return ThreadContext.current.withScratch(3 * n * n + 6 * n + 1, of: S.self) { a in
      ThreadContext.current.withScratch(5 * n + 3, of: Int.self) { integers in
        let lower = call.lower
        for i in 0..<n {
          for j in 0...i {
            // syevd does not come back from NaN in some versions.
            if !lower[i, j].isFinite {
              call.poison()
              return .notFinite
            }
            a[i * n + j] = lower[i, j]
          }
        }
        var (work, integerWork, info) = (2 * n * n + 6 * n + 1, 5 * n + 3, 0)
        // Rows of the lower triangle are columns of the upper one in LAPACK's order.
        syevd("V", "U", &n, a, &n, call.values, a + n * n, &work, integers, &integerWork, &info)
        if LAPACKFunctions.outcome(info) != 0 {
          call.poison()
          return .notConverged
        }
        for j in 0..<n { for i in 0..<n { call.vectors[i, j] = a[j * n + i] } }
        return .converged
      }
    }
  }
}
