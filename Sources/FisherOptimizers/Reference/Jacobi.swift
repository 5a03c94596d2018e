import FisherRuntime

/// The eigenvalues of a symmetric matrix and its eigenvectors, row by row, in no order: by cyclic Jacobi rotations.
package func naiveEigen(_ A: [[Double]]) -> (values: [Double], vectors: [[Double]]) {
  let n = A.count
  var A = A
  var V = (0..<n).map { i in (0..<n).map { i == $0 ? 1.0 : 0 } }
  for _ in 0..<60 {
    var isDiagonal = true
    for p in 0..<n {
      for q in p + 1..<max(n, p + 1) where abs(A[p][q]) > 1e-18 * (abs(A[p][p]) + abs(A[q][q])) {
        isDiagonal = false
        let τ = (A[q][q] - A[p][p]) / (2 * A[p][q])
        let t = (τ < 0 ? -1 : 1) / (abs(τ) + (1 + τ * τ).squareRoot())
        let c = 1 / (1 + t * t).squareRoot()
        let s = t * c
        for k in 0..<n { (A[k][p], A[k][q]) = (c * A[k][p] - s * A[k][q], s * A[k][p] + c * A[k][q]) }
        for k in 0..<n {
          (A[p][k], A[q][k]) = (c * A[p][k] - s * A[q][k], s * A[p][k] + c * A[q][k])
          (V[p][k], V[q][k]) = (c * V[p][k] - s * V[q][k], s * V[p][k] + c * V[q][k])
        }
      }
    }
    if isDiagonal { break }
  }
  return (A.indices.map { A[$0][$0] }, V)
}

/// Σ f(λ)·v·vᵀ over the eigenvalues and eigenvectors of a symmetric matrix.
package func naiveFunction(of A: [[Double]], _ f: (Double) -> Double) -> [[Double]] {
  let (values, vectors) = naiveEigen(A)
  return A.indices.map { i in
    A.indices.map { j in
      zip(values, vectors).reduce(0) { $0 + f($1.0) * $1.1[i] * $1.1[j] }
    }
  }
}

/// x^(−1/p)
package func naiveInverseRoot(_ x: Double, _ p: Int) -> Double { pow(x, -1 / Double(p)) }
