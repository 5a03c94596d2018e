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

  /// Intermediate results with the step that used them last, the latest at the end. Who asks for one gets the latest that
  /// nobody holds any more: it is the likeliest to be in cache.
  private var intermediates: [(matrix: Matrix<Scalar>, step: Int)] = []
  private var step = 0

  /// An intermediate result of undefined elements.
  @specialized(where Key == SlotKey, Scalar == Float) @specialized(where Key == SlotKey, Scalar == Double)
  mutating func takeIntermediate(rows: Int, columns: Int) -> Matrix<Scalar> {
    let place = intermediates.indices.last { place in
      intermediates[place].matrix.rows == rows && intermediates[place].matrix.columns == columns
        && intermediates[place].matrix.isOnlyOne
    }
    return place.map { intermediates.remove(at: $0).matrix } ?? Matrix(rows: rows, columns: columns)
  }

  /// Lends an intermediate result: its memory is free when nobody holds it.
  @specialized(where Key == SlotKey, Scalar == Float) @specialized(where Key == SlotKey, Scalar == Double)
  mutating func keepIntermediate(_ matrix: Matrix<Scalar>) { intermediates.append((matrix, step)) }

  /// Lets go of intermediate results that many steps have not asked for, such as those of another batch size.
  mutating func endStep() {
    step += 1
    while let oldest = intermediates.first, oldest.step + 64 < step { intermediates.removeFirst() }
  }

  /// A piece of state was replaced: the next step that asks for the name may have its memory.
  mutating func exchange(_ key: Key, for old: Matrix<Scalar>?) {
    if names.contains(key) { matrices[key] = old }
  }
}
