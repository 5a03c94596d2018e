/// The entry points for triangular matrices.
public protocol TriangularKernels<Scalar> {
  associatedtype Scalar

  /// X ← L⁻¹·α·X: see TrianglePanel.swift.
  static func solveTriangle(_ call: PanelCall<Scalar>)
  /// X ← α·L·X
  static func multiplyTriangle(_ call: PanelCall<Scalar>)
}
