public import FisherLinearAlgebra
import FisherRuntime

/// One step of orthogonal iteration: a basis that follows the eigenvectors of a symmetric matrix which changes slowly.
///
/// The columns of Q are taken in descending order of their Rayleigh quotients qᵀ·A·q, and A·Q is made orthonormal from left
/// to right: each step brings the columns nearer to the eigenvectors by the ratio of neighbouring eigenvalues. The new
/// columns have the signs that come. 14/3·n³ flops. Source: G. H. Golub & C. F. Van Loan, Matrix Computations, 8.2.4.
///
/// - Parameters:
///   - a: A, symmetric and positive semidefinite, n×n; its lower triangle is read.
///   - basis: Q, n×n, orthogonal.
///   - shift: δ ≥ 0; δ times the mean of A's diagonal is added there. With 0, directions that A does not know come from
///     rounding.
///   - backend: what computes it.
///   - threads: the most threads to use, at least 1.
/// - Returns: the new Q, and the columns of the old one in the order in which they were taken.
@specialized(where S == Float) @specialized(where S == Double)
public func orthogonalIteration<S: KernelScalar>(
  _ a: Matrix<S>, from basis: Matrix<S>, shift: Double = 0, on backend: any Backend = NativeBackend(),
  threads: Int = Threads.available
) -> (basis: Matrix<S>, order: [Int]) {
  let n = a.rows
  require(
    a.columns == n && basis.rows == n && basis.columns == n,
    "orthogonalIteration: A is \(a.rows)×\(a.columns) and Q is \(basis.rows)×\(basis.columns)")
  let mean = (0..<n).reduce(0.0) { $0 + Double(a[$1, $1]) / Double(n) }
  var image = Matrix<S>(rows: n, columns: n)
  copy(basis, into: &image, on: backend)
  symm(a, basis, beta: S(shift * mean), into: &image, on: backend, threads: threads)
  var quotients = [Double](repeating: 0, count: n)
  basis.withSpan { q in
    image.withSpan { image in
      for i in 0..<n { for j in 0..<n { quotients[j] += Double(q[i * n + j]) * Double(image[i * n + j]) } }
    }
  }
  let order = (0..<n).sorted { (quotients[$1], $0) < (quotients[$0], $1) }
  let sorted = image.withSpan { image in
    Matrix<S>(rows: n, columns: n) { i, j in image[i * n + order[j]] }
  }
  return (QR(sorted, on: backend, threads: threads).q(on: backend, threads: threads).compacted(), order)
}
