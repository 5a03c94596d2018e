// Jacobi's method (C. G. J. Jacobi 1846; G. Golub, C. Van Loan, Matrix Computations, 8.5): each rotation makes one
// off-diagonal element 0, cyclically through all of them, until none counts.

import KernelTemplates

extension ReferenceBackend {
  @specialized(where S == Float)
  @specialized(where S == Double)
  public func symmetricEigen<S: KernelScalar>(_ call: SymmetricEigenCall<S>, threads: Int) -> EigenStatus {
    let (n, lower) = (call.order, call.lower)
    var a = (0..<n).map { i in (0..<n).map { j in Double(lower[max(i, j), min(i, j)]) } }
    guard a.allSatisfy({ $0.allSatisfy(\.isFinite) }) else {
      call.poison()
      return .notFinite
    }
    // A power of two that brings the largest element near 1.
    let largest = a.joined().reduce(0) { max($0, $1.magnitude) }
    let unit = largest > 0 ? Double(sign: .plus, exponent: largest.exponent, significand: 1) : 1
    for i in 0..<n { for j in 0..<n { a[i][j] /= unit } }
    var v = (0..<n).map { i in (0..<n).map { $0 == i ? 1.0 : 0 } }
    var sweeps = 0
    while Self.offDiagonalNorm(a) > Double.ulpOfOne * 1e-2 {
      if sweeps == 60 {
        call.poison()
        return .notConverged
      }
      sweeps += 1
      for p in 0..<n { for q in p + 1..<max(n, p + 1) { Self.annihilate(&a, &v, p, q) } }
    }
    let order = (0..<n).sorted { (a[$0][$0], $0) < (a[$1][$1], $1) }
    for j in 0..<n {
      call.values[j] = S(a[order[j]][order[j]] * unit)
      for i in 0..<n { call.vectors[i, j] = S(v[order[j]][i]) }
    }
    return .converged
  }

  private static func offDiagonalNorm(_ a: [[Double]]) -> Double {
    var sum = 0.0
    for i in a.indices { for j in 0..<i { sum += a[i][j] * a[i][j] } }
    return sum.squareRoot()
  }

  /// A ← Jᵀ·A·J with the rotation J of the plane (p, q) that makes A(p, q) = 0; the rows of V follow.
  private static func annihilate(_ a: inout [[Double]], _ v: inout [[Double]], _ p: Int, _ q: Int) {
    if a[p][q] == 0 { return }
    let theta = (a[q][q] - a[p][p]) / (2 * a[p][q])
    let t = (theta < 0 ? -1 : 1) / (theta.magnitude + (1 + theta * theta).squareRoot())
    let c = 1 / (1 + t * t).squareRoot()
    let s = t * c
    for k in a.indices {
      let (x, y) = (a[k][p], a[k][q])
      a[k][p] = c * x - s * y
      a[k][q] = s * x + c * y
    }
    func rotateRows(_ a: inout [[Double]]) {
      let (x, y) = (a[p], a[q])
      a[p] = zip(x, y).map { c * $0 - s * $1 }
      a[q] = zip(x, y).map { s * $0 + c * $1 }
    }
    rotateRows(&a)
    rotateRows(&v)
    (a[p][q], a[q][p]) = (0, 0)
  }
}
