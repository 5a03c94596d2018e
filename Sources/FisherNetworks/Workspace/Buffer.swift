import FisherLinearAlgebra

/// A matrix that is written in every pass and lent to others in between.
///
/// A pass writes it in place unless somebody still holds what an earlier pass lent; then that one keeps the old
/// memory, and this buffer takes new.
struct Buffer<Scalar: KernelScalar> {
  private var matrix: Matrix<Scalar>

  init(columns: Int) { matrix = Matrix(rows: 0, columns: columns) }

  /// Undefined elements to be written; valid until the next call.
  mutating func prepare(rows: Int) -> MutableMatrixPointer<Scalar> {
    if matrix.rows < rows { matrix = Matrix(rows: rows, columns: matrix.columns) }
    // The workspace keeps the matrix as long as it uses the pointer, and writes it nowhere else.
    let all = matrix.withMutablePointer(discarding: true) { $0 }
    return all.block(0, 0, rows: rows, columns: matrix.columns)
  }

  /// The first rows, without a copy.
  func lend(rows: Int) -> Matrix<Scalar> { matrix[rows: 0..<rows, columns: 0...] }
}
