public import FisherLinearAlgebra
import KernelTemplates

extension GuardedMatrix {
  /// Fills the elements with those of `matrix`, or only those of one triangle; returns itself.
  @specialized(where S == Float)
  @specialized(where S == Double)
  @discardableResult
  public func filled(with matrix: Matrix<S>, only triangle: Triangle? = nil) -> GuardedMatrix {
    precondition(matrix.rows == rows && matrix.columns == columns)
    matrix.withPointer { source in
      for i in 0..<rows {
        let used =
          switch triangle {
          case nil: 0..<columns
          case .lower: 0..<min(i + 1, columns)
          case .upper: min(i, columns)..<columns
          }
        for j in used { pointer[i, j] = source[i, j] }
      }
    }
    return self
  }

  /// The first element outside of the triangle that no longer holds the sentinel bit for bit.
  @specialized(where S == Float)
  @specialized(where S == Double)
  public func firstDamage(outside triangle: Triangle) -> (row: Int, column: Int)? {
    let expected = S.sentinel.bits
    for i in 0..<rows {
      let other = triangle == .lower ? min(i + 1, columns)..<columns : 0..<min(i, columns)
      for j in other where pointer[i, j].bits != expected { return (i, j) }
    }
    return nil
  }

  /// Element (i, j) has the bits of element (j, i).
  @specialized(where S == Float)
  @specialized(where S == Double)
  public func isSymmetric() -> Bool {
    for i in 0..<rows { for j in 0..<i where pointer[i, j].bits != pointer[j, i].bits { return false } }
    return true
  }
}
