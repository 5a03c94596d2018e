/// The entry points for triangular matrices.
public protocol TriangularKernels<Scalar> {
  associatedtype Scalar

  /// X ← L⁻¹·α·X: see TrianglePanel.swift.
  static func solvePanel(_ call: PanelCall<Scalar>)
  /// X ← α·L·X
  static func multiplyPanel(_ call: PanelCall<Scalar>)
}
