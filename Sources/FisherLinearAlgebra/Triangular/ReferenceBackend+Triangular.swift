// Triangular systems and products, column by column of B in double precision.

import KernelTemplates

extension ReferenceBackend {
  /// Forward substitution: xᵢ = (α·bᵢ − Σ_{p<i} lᵢₚ·xₚ) / lᵢᵢ.
  @specialized(where S == Float)
  @specialized(where S == Double)
  public func trsm<S: KernelScalar>(_ call: Trsm<S>, threads: Int) {
    let call = call.canonical
    let (l, b, n) = (call.a, call.b, call.b.rows)
    var x = [Double](repeating: 0, count: n)
    for j in 0..<b.columns {
      for i in 0..<n where call.alpha != 0 {
        var sum = Double(call.alpha) * Double(b[i, j])
        for p in 0..<i { sum -= Double(l[i, p]) * x[p] }
        x[i] = call.unitDiagonal ? sum : sum / Double(l[i, i])
      }
      for i in 0..<n { b[i, j] = S(x[i]) }
    }
  }

  /// yᵢ = α·Σ_{p≤i} lᵢₚ·bₚ
  @specialized(where S == Float)
  @specialized(where S == Double)
  public func trmm<S: KernelScalar>(_ call: Trmm<S>, threads: Int) {
    let call = call.canonical
    let (l, b) = (call.a, call.b)
    for j in 0..<b.columns {
      for i in (0..<b.rows).reversed() {
        b[i, j] = S(
          Self.combine(
            call.alpha, sum: i + 1,
            { p in (p == i && call.unitDiagonal ? 1 : Double(l[i, p])) * Double(b[p, j]) }, 0, b[i, j]))
      }
    }
  }
}
