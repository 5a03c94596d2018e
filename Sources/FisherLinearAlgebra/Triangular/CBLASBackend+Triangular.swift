import KernelTemplates

extension CBLASBackend {
  @specialized(where S == Float) @specialized(where S == Double)
  public func trsm<S: KernelScalar>(_ call: Trsm<S>, threads: Int) {
    if !run(library.functions(for: S.self).trsm, call, threads) { fallback.trsm(call, threads: threads) }
  }

  @specialized(where S == Float) @specialized(where S == Double)
  public func trmm<S: KernelScalar>(_ call: Trmm<S>, threads: Int) {
    if !run(library.functions(for: S.self).trmm, call, threads) { fallback.trmm(call, threads: threads) }
  }

  /// - Returns: false if the library cannot do it.
  @inline(never)
  private func run<S: KernelScalar>(_ routine: CBLASFunctions.Trsm?, _ call: Triangular<S>, _ threads: Int)
    -> Bool
  {
    let (m, n) = (call.b.rows, call.b.columns)
    guard m > 0, n > 0, call.alpha != 0, let routine, let b = CBLASTarget(call.b.readOnly),
      let a = CBLASOperand(call.a, in: b.order), fits(m | n | a.leading | b.leading)
    else { return false }
    library.useThreads(threads)
    // The triangle is that of the matrix in memory, before it is transposed.
    let triangle = a.isTransposed ? call.triangle.opposite : call.triangle
    routine(
      b.order.rawValue, call.side == .left ? 141 : 142, triangle.cblas, a.transposition,
      call.unitDiagonal ? 132 : 131, m, n, CBLASNumber(call.alpha).register, call.a.base, a.leading,
      call.b.base,
      b.leading)
    return true
  }
}
