import FisherRuntime
import KernelTemplates

extension CBLASBackend {
  @specialized(where S == Float) @specialized(where S == Double)
  public func factorQR<S: KernelScalar>(_ factors: QRFactors<S>, threads: Int) {
    let a = factors.a
    guard factors.count > 0, fits(64 * (a.rows | a.columns)),
      let geqrf = library.functions(for: S.self).lapack.geqrf
    else { return fallback.factorQR(factors, threads: threads) }
    library.useThreads(threads)
    var (m, n, size, info) = (a.rows, a.columns, 64 * a.columns, 0)
    ThreadContext.current.withScratch(size, of: S.self) { work in
      withColumns(a, writesBack: true) { columns, leading in
        var leading = leading
        geqrf(&m, &n, columns, &leading, factors.tau, work, &size, &info)
      }
    }
  }

  @specialized(where S == Float) @specialized(where S == Double)
  public func factorPivotedQR<S: KernelScalar>(
    _ factors: QRFactors<S>, permutation: UnsafeMutablePointer<Int>, threads: Int
  ) {
    let a = factors.a
    guard factors.count > 0, fits(64 * (a.rows | a.columns)),
      let geqp3 = library.functions(for: S.self).lapack.geqp3
    else { return fallback.factorPivotedQR(factors, permutation: permutation, threads: threads) }
    library.useThreads(threads)
    var (m, n, info) = (a.rows, a.columns, 0)
    var size = 2 * n + 64 * (n + 1)
    ThreadContext.current.withScratch(size, of: S.self) { work in
      ThreadContext.current.withScratch(n, of: Int.self) { pivots in
        // 0 leaves a column free to move.
        for j in 0..<n { pivots[j] = 0 }
        withColumns(a, writesBack: true) { columns, leading in
          var leading = leading
          geqp3(&m, &n, columns, &leading, pivots, factors.tau, work, &size, &info)
        }
        for j in 0..<n { permutation[j] = library.integer(pivots, j) - 1 }
      }
    }
  }

  @specialized(where S == Float) @specialized(where S == Double)
  public func applyQ<S: KernelScalar>(
    _ factors: QRFactors<S>, transposed: Bool, to c: MutableMatrixPointer<S>, isIdentity: Bool, threads: Int
  ) {
    guard factors.count > 0, c.columns > 0, fits(64 * (c.rows | c.columns)),
      let ormqr = library.functions(for: S.self).lapack.ormqr
    else {
      return fallback.applyQ(
        factors, transposed: transposed, to: c, isIdentity: isIdentity, threads: threads)
    }
    library.useThreads(threads)
    var (m, r, k, info) = (c.rows, c.columns, factors.count, 0)
    // Twice what any version of the library asks for: 64 rows of vectors, and its T of 65 × 64.
    var size = 64 * c.columns + 65 * 64
    ThreadContext.current.withScratch(size, of: S.self) { work in
      withColumns(factors.a, writesBack: false) { a, leadingA in
        withColumns(c, writesBack: true) { columns, leadingC in
          var (leadingA, leadingC) = (leadingA, leadingC)
          ormqr(
            "L", transposed ? "T" : "N", &m, &r, &k, a, &leadingA, factors.tau, columns, &leadingC, work,
            &size,
            &info)
        }
      }
    }
  }
}
