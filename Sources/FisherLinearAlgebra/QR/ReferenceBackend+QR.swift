// Householder's reflectors one after the other, in double precision.

import KernelTemplates

extension ReferenceBackend {
  @specialized(where S == Float)
  @specialized(where S == Double)
  public func factorQR<S: KernelScalar>(_ factors: QRFactors<S>, threads: Int) {
    var a = Self.rows(of: factors.a)
    for j in 0..<factors.count { factors.tau[j] = S(Self.eliminate(&a, j)) }
    for (i, row) in a.enumerated() { for (j, x) in row.enumerated() { factors.a[i, j] = S(x) } }
  }

  /// The column with the longest rest comes next, all lengths being computed anew for each.
  @specialized(where S == Float)
  @specialized(where S == Double)
  public func factorPivotedQR<S: KernelScalar>(
    _ factors: QRFactors<S>, permutation: UnsafeMutablePointer<Int>, threads: Int
  ) {
    let n = factors.a.columns
    var a = Self.rows(of: factors.a)
    for j in 0..<n { permutation[j] = j }
    for j in 0..<factors.count {
      let lengths = (j..<n).map { Self.norm(of: $0, from: j, a) }
      let pivot = j + (lengths.firstIndex(where: \.isNaN) ?? lengths.firstIndex(of: lengths.max()!)!)
      for i in a.indices { a[i].swapAt(j, pivot) }
      (permutation[j], permutation[pivot]) = (permutation[pivot], permutation[j])
      factors.tau[j] = S(Self.eliminate(&a, j))
    }
    for (i, row) in a.enumerated() { for (j, x) in row.enumerated() { factors.a[i, j] = S(x) } }
  }

  private static func rows<S: KernelScalar>(of a: MutableMatrixPointer<S>) -> [[Double]] {
    (0..<a.rows).map { i in (0..<a.columns).map { j in Double(a[i, j]) } }
  }

  /// Makes the reflector of column j and applies it to the columns behind; returns τ.
  private static func eliminate(_ a: inout [[Double]], _ j: Int) -> Double {
    let tau = makeReflector(&a, j)
    let below = j + 1..<max(a.count, j + 1)
    for c in j + 1..<max(a[j].count, j + 1) {
      let sum = below.reduce(a[j][c]) { $0 + a[$1][j] * a[$1][c] }
      a[j][c] -= tau * sum
      for i in below { a[i][c] -= tau * a[i][j] * sum }
    }
    return tau
  }

  /// The length of column j from row `first` on, without overflow or underflow in between.
  private static func norm(of j: Int, from first: Int, _ a: [[Double]]) -> Double {
    let largest = (first..<a.count).reduce(0) { a[$1][j].isNaN ? .nan : max($0, a[$1][j].magnitude) }
    if largest == 0 || !largest.isFinite { return largest }
    let sum = (first..<a.count).reduce(0) { $0 + (a[$1][j] / largest) * (a[$1][j] / largest) }
    return largest * sum.squareRoot()
  }

  /// The reflector that makes column j zero below its diagonal, stored there; returns τ.
  private static func makeReflector(_ a: inout [[Double]], _ j: Int) -> Double {
    let below = j + 1..<max(a.count, j + 1)
    if below.allSatisfy({ a[$0][j] == 0 }) { return 0 }
    let norm = norm(of: j, from: j, a)
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
