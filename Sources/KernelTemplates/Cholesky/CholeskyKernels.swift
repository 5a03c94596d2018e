/// The entry points for positive definite matrices in packed panels: see CholeskyPanels.swift.
public protocol CholeskyKernels<Scalar> {
  associatedtype Scalar

  /// A → U with A = Uᵀ·U, and U⁻ᵀ beside it if wanted.
  static func factorPanels(_ call: CholeskyCall<Scalar>)
  /// C ← Vᵀ·V: see ``InverseCall``.
  static func multiplyPanels(_ call: InverseCall<Scalar>)
  /// Copies the region of a matrix with contiguous rows: see TriangleCopy.swift.
  static func copy(
    _ source: MatrixPointer<Scalar>, _ region: Region, to target: MutableMatrixPointer<Scalar>,
    _ scratch: UnsafeMutablePointer<Scalar>)
}
