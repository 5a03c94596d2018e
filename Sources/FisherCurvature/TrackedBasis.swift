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
  if shift != 0 { copy(basis, into: &image, on: backend) }
  symm(a, basis, beta: S(shift * mean), into: &image, on: backend, threads: threads)
  let quotients = columnProducts(basis, image, threads: threads)
  let order = (0..<n).sorted { (quotients[$1], $0) < (quotients[$0], $1) }
  let sorted = columns(order, of: image, threads: threads)
  return (QR(sorted, on: backend, threads: threads).q(on: backend, threads: threads).compacted(), order)
}

/// Σᵢ xᵢⱼ·yᵢⱼ for every j, in double precision, from the first row on.
@specialized(where S == Float) @specialized(where S == Double)
package func columnProducts<S: KernelScalar>(_ x: Matrix<S>, _ y: Matrix<S>, threads: Int) -> [Double] {
  let (x, y, columns, piece) = (x.compacted(), y.compacted(), x.columns, 256)
  var sums = [Double](repeating: 0, count: columns)
  x.withPointer { x in
    y.withPointer { y in
      sums.withUnsafeMutableBufferPointer { sums in
        // Each task has columns of its own.
        nonisolated(unsafe) let sums = sums
        let threads = Parallel.elementwise(x.rows * columns, threads: threads)
        Parallel.perform((columns + piece - 1) / piece, threads: threads) { task in
          let (first, width) = (task * piece, min(piece, columns - task * piece))
          guard let sums = sums.baseAddress.map({ $0 + first }) else { return }
          for i in 0..<x.rows {
            let (p, q) = (x.base + i * columns + first, y.base + i * columns + first)
            for j in 0..<width { sums[j] += Double(p[j]) * Double(q[j]) }
          }
        }
      }
    }
  }
  return sums
}

/// The columns of a square matrix in another order.
@specialized(where S == Float) @specialized(where S == Double)
private func columns<S: KernelScalar>(_ order: [Int], of x: Matrix<S>, threads: Int) -> Matrix<S> {
  let (x, n) = (x.compacted(), x.columns)
  var sorted = Matrix<S>(rows: x.rows, columns: n)
  x.withPointer { x in
    sorted.withMutablePointer(discarding: true) { sorted in
      order.withUnsafeBufferPointer { order in
        Parallel.perform(sorted.rows, threads: Parallel.elementwise(n * n, threads: threads)) { i in
          let (source, target) = (x.base + i * n, sorted.base + i * n)
          for j in 0..<n { target[j] = source[order[j]] }
        }
      }
    }
  }
  return sorted
}
