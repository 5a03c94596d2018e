/// The entry points for Gaussian elimination with partial pivoting.
public protocol EliminationKernels<Scalar> {
  associatedtype Scalar

  /// Factorizes a panel at most a vector wide: see PivotedPanel.swift.
  static func factorPivotedPanel(
    _ a: UnsafeMutablePointer<Scalar>, rows: Int, columns: Int, pivots: UnsafeMutablePointer<Int>)
  /// Exchanges two rows of adjacent elements.
  static func swapRows(
    _ x: UnsafeMutablePointer<Scalar>, _ y: UnsafeMutablePointer<Scalar>, count: Int)
  /// B ← L⁻¹·B: see UnitLowerSolve.swift.
  static func solveUnitLower(_ l: MatrixPointer<Scalar>, _ b: MutableMatrixPointer<Scalar>)
}
