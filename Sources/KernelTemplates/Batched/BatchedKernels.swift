/// The entry points for many small matrices, one in each lane of a group.
public protocol BatchedKernels<Scalar> {
  associatedtype Scalar

  /// Matrices into lanes: see Interleaving.swift.
  static func interleave(
    _ source: MatrixGroup<UnsafePointer<Scalar>>, n: Int, to group: UnsafeMutablePointer<Scalar>)
  /// Lanes into matrices.
  static func deinterleave(
    _ group: UnsafePointer<Scalar>, n: Int, to target: MatrixGroup<UnsafeMutablePointer<Scalar>>)
  /// One lane into its matrix.
  static func deinterleaveLane(
    _ group: UnsafePointer<Scalar>, n: Int, _ lane: Int, to target: MatrixGroup<UnsafeMutablePointer<Scalar>>)
  /// Adds a multiple of the identity.
  static func damp(_ group: UnsafeMutablePointer<Scalar>, n: Int, absolute: Scalar, relative: Scalar)
  /// The inverses of symmetric positive definite matrices: see SymmetricSweep.swift.
  static func invertSymmetric(
    _ group: UnsafeMutablePointer<Scalar>, n: Int, pivots: UnsafeMutablePointer<Scalar>,
    _ scratch: UnsafeMutablePointer<Scalar>
  ) -> Bool
}
