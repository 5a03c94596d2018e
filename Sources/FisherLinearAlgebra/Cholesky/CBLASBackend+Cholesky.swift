import KernelTemplates

extension CBLASBackend {
  @specialized(where S == Float) @specialized(where S == Double)
  public func potrf<S: KernelScalar>(_ call: Potrf<S>, threads: Int) -> PivotOutcome {
    let upper = call.canonical
    guard call.correction == nil, let potrf = library.functions(for: S.self).lapack.potrf,
      let (uplo, leading) = layout(upper.target)
    else { return fallback.potrf(call, threads: threads) }
    upper.loadTarget()
    library.useThreads(threads)
    return PivotOutcome(firstBadPivot: run(potrf, uplo, upper.target, leading))
  }

  @specialized(where S == Float) @specialized(where S == Double)
  public func potri<S: KernelScalar>(_ call: Potri<S>, threads: Int) {
    let upper = call.canonical
    guard let potri = library.functions(for: S.self).lapack.potri, let (uplo, leading) = layout(upper.target)
    else {
      return fallback.potri(call, threads: threads)
    }
    copyTriangle(of: upper.factor, to: upper.target)
    library.useThreads(threads)
    _ = run(potri, uplo, upper.target, leading)
    if call.mirror { mirrorUpper(upper.target) }
  }

  /// How LAPACK names the upper triangle of this matrix; nil if it cannot.
  private func layout<S>(_ a: MutableMatrixPointer<S>) -> (uplo: String, leading: Int)? {
    // Columns in memory are what LAPACK expects; rows make a lower triangle of the transposed matrix.
    guard let target = CBLASTarget(a.readOnly), a.rows > 0, fits(a.rows | target.leading) else { return nil }
    return (target.order == .columnMajor ? "U" : "L", target.leading)
  }

  /// - Returns: the index of the first bad pivot.
  private func run<S: KernelScalar>(
    _ routine: LAPACKFunctions.Potrf, _ uplo: String, _ a: MutableMatrixPointer<S>, _ leading: Int
  ) -> Int? {
    var (n, leading, info) = (a.rows, leading, 0)
    routine(uplo, &n, a.base, &leading, &info)
    let failed = LAPACKFunctions.outcome(info)
    // Not every library takes a NaN for a bad pivot; it is on the diagonal then.
    let checked = failed > 0 ? failed - 1 : n
    return (0..<checked).first { a[$0, $0].isNaN } ?? (failed > 0 ? failed - 1 : nil)
  }
}
