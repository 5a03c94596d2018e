// y ← α·A·x + β·y and A ← A + α·x·yᵀ.

public import KernelTemplates

extension ReferenceBackend {
  @specialized(where S == Float)
  @specialized(where S == Double)
  public func gemv<S: KernelScalar>(_ call: Gemv<S>, threads: Int) {
    let (a, x, y) = (call.a, call.x, call.y)
    for i in 0..<y.count {
      y[i] = S(
        Self.combine(call.alpha, sum: x.count, { p in Double(a[i, p]) * Double(x[p]) }, call.beta, y[i]))
    }
  }

  @specialized(where S == Float)
  @specialized(where S == Double)
  public func ger<S: KernelScalar>(
    alpha: S, x: VectorPointer<S>, y: VectorPointer<S>, a: MutableMatrixPointer<S>, threads: Int
  ) {
    guard alpha != 0 else { return }
    for i in 0..<a.rows {
      for j in 0..<a.columns {
        a[i, j] = S(Double(a[i, j]) + Double(x[i]) * (Double(alpha) * Double(y[j])))
      }
    }
  }
}
