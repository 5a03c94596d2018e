public import KernelTemplates

extension CBLASBackend {
  @specialized(where S == Float) @specialized(where S == Double)
  public func gemv<S: KernelScalar>(_ call: Gemv<S>, threads: Int) {
    let (m, n, x, y) = (call.a.rows, call.a.columns, call.x, call.y)
    guard m > 0, n > 0, call.alpha != 0, let gemv = library.functions(for: S.self).gemv,
      let a = CBLASTarget(call.a),
      x.stride != 0, fits(m | n | a.leading | abs(x.stride) | abs(y.stride))
    else { return fallback.gemv(call, threads: threads) }
    if call.beta == 0 {
      // Some libraries multiply y by 0, and keep its NaN.
      for i in 0..<m { y[i] = 0 }
    }
    library.useThreads(threads)
    gemv(
      a.order.rawValue, 111, m, n, CBLASNumber(call.alpha).register, call.a.base, a.leading, x.lowest,
      x.stride,
      CBLASNumber(call.beta).register, y.lowest, y.stride)
  }

  @specialized(where S == Float) @specialized(where S == Double)
  public func ger<S: KernelScalar>(
    alpha: S, x: VectorPointer<S>, y: VectorPointer<S>, a: MutableMatrixPointer<S>, threads: Int
  ) {
    guard a.rows > 0, a.columns > 0, alpha != 0, let ger = library.functions(for: S.self).ger,
      let target = CBLASTarget(a.readOnly),
      x.stride != 0, y.stride != 0,
      fits(a.rows | a.columns | target.leading | abs(x.stride) | abs(y.stride))
    else { return fallback.ger(alpha: alpha, x: x, y: y, a: a, threads: threads) }
    library.useThreads(threads)
    ger(
      target.order.rawValue, a.rows, a.columns, CBLASNumber(alpha).register, x.lowest, x.stride, y.lowest,
      y.stride,
      a.base, target.leading)
  }
}
