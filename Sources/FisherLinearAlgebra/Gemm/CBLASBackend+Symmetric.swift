public import KernelTemplates

extension CBLASBackend {
  @specialized(where S == Float) @specialized(where S == Double)
  public func syrk<S: KernelScalar>(_ call: Syrk<S>, threads: Int) {
    let (n, k) = (call.a.rows, call.a.columns)
    guard n > 0, k > 0, call.alpha != 0, let syrk = library.functions(for: S.self).syrk,
      let c = CBLASTarget(call.c.readOnly), let a = CBLASOperand(call.a, in: c.order),
      fits(n | k | a.leading | c.leading)
    else { return fallback.syrk(call, threads: threads) }
    library.useThreads(threads)
    syrk(
      c.order.rawValue, call.triangle.cblas, a.transposition, n, k, CBLASNumber(call.alpha).register,
      call.a.base, a.leading, CBLASNumber(call.beta).register, call.c.base, c.leading)
    if call.mirror { mirror(call.c, from: call.triangle) }
  }

  @specialized(where S == Float) @specialized(where S == Double)
  public func symm<S: KernelScalar>(_ call: Symm<S>, threads: Int) {
    let (m, n) = (call.c.rows, call.c.columns)
    guard m > 0, n > 0, call.alpha != 0, let symm = library.functions(for: S.self).symm,
      let (order, b, c) = commonOrder(call.b, call.c), let a = CBLASOperand(call.a, in: order),
      fits(m | n | a.leading | b | c)
    else { return fallback.symm(call, threads: threads) }
    // A symmetric matrix read as its transpose has the other triangle.
    let triangle = a.isTransposed ? call.triangle.opposite : call.triangle
    library.useThreads(threads)
    symm(
      order.rawValue, 141, triangle.cblas, m, n, CBLASNumber(call.alpha).register, call.a.base, a.leading,
      call.b.base, b, CBLASNumber(call.beta).register, call.c.base, c)
  }

  /// The order in which both matrices can be described without transposing one, and their leading dimensions.
  private func commonOrder<S>(
    _ b: MatrixPointer<S>, _ c: MutableMatrixPointer<S>
  ) -> (CBLASOrder, b: Int, c: Int)? {
    for order in [CBLASOrder.rowMajor, .columnMajor] {
      if let b = leadingDimension(of: b, in: order), let c = leadingDimension(of: c.readOnly, in: order) {
        return (order, b, c)
      }
    }
    return nil
  }

  private func mirror<S>(_ c: MutableMatrixPointer<S>, from triangle: Triangle) {
    let c = triangle == .lower ? c : c.transposed
    for i in 0..<c.rows {
      for j in 0..<i { c[j, i] = c[i, j] }
    }
  }
}
