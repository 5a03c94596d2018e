// Householder's reflectors one after the other, in double precision.

import KernelTemplates

extension ReferenceBackend {
  @specialized(where S == Float)
  @specialized(where S == Double)
  public func factorQR<S: KernelScalar>(_ factors: QRFactors<S>, threads: Int) {
    let (m, n) = (factors.a.rows, factors.a.columns)
    var a = (0..<m).map { i in (0..<n).map { j in Double(factors.a[i, j]) } }
    for j in 0..<factors.count {
      let tau = Self.makeReflector(&a, j)
      factors.tau[j] = S(tau)
      for c in j + 1..<max(n, j + 1) {
        var sum = a[j][c]
        for i in j + 1..<max(m, j + 1) { sum += a[i][j] * a[i][c] }
        a[j][c] -= tau * sum
        for i in j + 1..<max(m, j + 1) { a[i][c] -= tau * a[i][j] * sum }
      }
    }
    for i in 0..<m { for j in 0..<n { factors.a[i, j] = S(a[i][j]) } }
  }

  /// The reflector that makes column j zero below its diagonal, stored there; returns τ.
  private static func makeReflector(_ a: inout [[Double]], _ j: Int) -> Double {
    let below = j + 1..<max(a.count, j + 1)
    let largest = below.reduce(0) { max($0, a[$1][j].magnitude) }
    if largest == 0 { return 0 }
    let unit = max(largest, a[j][j].magnitude)
    let sum = (j..<a.count).reduce(0) { $0 + (a[$1][j] / unit) * (a[$1][j] / unit) }
    let norm = unit * sum.squareRoot()
    let (alpha, beta) = (a[j][j], a[j][j] > 0 ? -norm : norm)
    for i in below { a[i][j] /= alpha - beta }
    a[j][j] = beta
    return (beta - alpha) / beta
  }

  @specialized(where S == Float)
  @specialized(where S == Double)
  public func applyQ<S: KernelScalar>(
    _ factors: QRFactors<S>, transposed: Bool, to c: MutableMatrixPointer<S>, isIdentity: Bool, threads: Int
  ) {
    let (a, m) = (factors.a, factors.a.rows)
    for column in 0..<c.columns {
      var x = (0..<m).map { Double(c[$0, column]) }
      for step in 0..<factors.count {
        let j = transposed ? step : factors.count - 1 - step
        var sum = x[j]
        for i in j + 1..<max(m, j + 1) { sum += Double(a[i, j]) * x[i] }
        sum *= Double(factors.tau[j])
        x[j] -= sum
        for i in j + 1..<max(m, j + 1) { x[i] -= sum * Double(a[i, j]) }
      }
      for i in 0..<m { c[i, column] = S(x[i]) }
    }
  }
}
