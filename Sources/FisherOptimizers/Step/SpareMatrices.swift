import FisherLinearAlgebra

/// Memory that earlier steps are done with, by the names under which steps ask for it.
///
/// A large matrix that is taken anew in every step costs more than the pass that writes it: the system hands out its
/// pages one by one, as zeros.
struct SpareMatrices<Key: Hashable & Sendable, Scalar: KernelScalar>: Sendable {
  private var matrices: [Key: Matrix<Scalar>] = [:]
  /// The names that some step has asked for.
  private var names: Set<Key> = []

  /// A matrix of undefined elements.
  mutating func take(_ key: Key, rows: Int, columns: Int) -> Matrix<Scalar> {
    names.insert(key)
    if let matrix = matrices.removeValue(forKey: key), matrix.rows == rows, matrix.columns == columns {
      return matrix
    }
    return Matrix(rows: rows, columns: columns)
  }

  /// Keeps a matrix for the next step. Until others let go of it, writing it costs new memory.
  mutating func keep(_ matrix: Matrix<Scalar>, _ key: Key) { matrices[key] = matrix }

  /// A piece of state was replaced: the next step that asks for the name may have its memory.
  mutating func exchange(_ key: Key, for old: Matrix<Scalar>?) {
    if names.contains(key) { matrices[key] = old }
  }
}
