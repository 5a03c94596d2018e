import FisherRuntime

/// Eigenvalues in ascending order, and unit eigenvectors as rows, of a symmetric matrix by Jacobi's rotations.
package func naiveEigen(_ matrix: [[Double]]) -> (values: [Double], vectors: [[Double]]) {
  let n = matrix.count
  var A = matrix.flatMap { $0 }
  var V = (0..<n * n).map { $0 / n == $0 % n ? 1.0 : 0 }
  // What is smaller is rounding.
  let least = 1e-17 * A.reduce(0) { $0 + $1 * $1 }.squareRoot()
  var isDiagonal = false
  for _ in 0..<60 where !isDiagonal {
    isDiagonal = true
    for p in 0..<n {
      for q in p + 1..<max(n, p + 1) where abs(A[p * n + q]) > least {
        isDiagonal = false
        rotate(&A, &V, n, p, q)
      }
    }
  }
  let order = (0..<n).sorted { A[$0 * n + $0] < A[$1 * n + $1] }
  return (order.map { A[$0 * n + $0] }, order.map { Array(V[$0 * n..<($0 + 1) * n]) })
}

/// Makes the element in row p and column q zero.
private func rotate(_ A: inout [Double], _ V: inout [Double], _ n: Int, _ p: Int, _ q: Int) {
  let θ = (A[q * n + q] - A[p * n + p]) / (2 * A[p * n + q])
  let t = (θ >= 0 ? 1 : -1) / (abs(θ) + (θ * θ + 1).squareRoot())
  let c = 1 / (t * t + 1).squareRoot()
  let s = t * c
  func turn(_ x: inout [Double], _ i: Int, _ j: Int) {
    let (a, b) = (x[i], x[j])
    x[i] = c * a - s * b
    x[j] = s * a + c * b
  }
  for k in 0..<n { turn(&A, k * n + p, k * n + q) }
  for k in 0..<n { turn(&A, p * n + k, q * n + k) }
  for k in 0..<n { turn(&V, p * n + k, q * n + k) }
  A[p * n + q] = 0
  A[q * n + p] = 0
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
