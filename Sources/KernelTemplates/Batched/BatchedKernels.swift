/// The entry points for many small matrices, one in each lane of a group.
///
/// A group of n × m matrices is n·m vectors, element (i, j) at (i·m + j)·L. A packed group of symmetric or triangular
/// matrices is n·(n + 1)/2 vectors, element (i, j), i ≥ j, at (i·(i + 1)/2 + j)·stride with a stride of at least L.
public protocol BatchedKernels<Scalar> {
  associatedtype Scalar

  /// Matrices into lanes: see Interleaving.swift.
  static func interleave(
    _ source: MatrixGroup<UnsafePointer<Scalar>>, rows: Int, columns: Int,
    to group: UnsafeMutablePointer<Scalar>)
  /// Lower triangles into lanes.
  static func interleaveLower(
    _ source: MatrixGroup<UnsafePointer<Scalar>>, n: Int, to group: UnsafeMutablePointer<Scalar>)
  /// Lanes into matrices.
  static func deinterleave(
    _ group: UnsafePointer<Scalar>, rows: Int, columns: Int,
    to target: MatrixGroup<UnsafeMutablePointer<Scalar>>)
  /// Lanes of symmetric matrices, given by their lower triangles, into matrices.
  static func deinterleaveSymmetric(
    _ group: UnsafeMutablePointer<Scalar>, n: Int, to target: MatrixGroup<UnsafeMutablePointer<Scalar>>)
  /// The upper triangles of rows and columns start ..< end from the lower ones.
  static func mirror(_ group: UnsafeMutablePointer<Scalar>, _ n: Int, from start: Int, to end: Int)
  /// One lane into its matrix.
  static func deinterleaveLane(
    _ group: UnsafePointer<Scalar>, rows: Int, columns: Int, _ lane: Int,
    to target: MatrixGroup<UnsafeMutablePointer<Scalar>>)
  /// The lower triangles of a packed group into a group.
  static func expand(
    _ packed: UnsafePointer<Scalar>, stride: Int, n: Int, to group: UnsafeMutablePointer<Scalar>)
  /// The lower triangles of a group into a packed group.
  static func compress(
    _ group: UnsafePointer<Scalar>, n: Int, to packed: UnsafeMutablePointer<Scalar>, stride: Int)
  /// Adds a multiple of the identity.
  static func damp(_ group: UnsafeMutablePointer<Scalar>, n: Int, absolute: Scalar, relative: Scalar)

  /// The inverses of symmetric positive definite matrices, lower triangles: see SymmetricSweep.swift.
  static func invertSymmetric(
    _ group: UnsafeMutablePointer<Scalar>, n: Int, pivots: UnsafeMutablePointer<Scalar>,
    _ scratch: UnsafeMutablePointer<Scalar>, ahead: Lookahead<Scalar>
  ) -> Bool
  /// Their Cholesky factors: see LaneCholesky.swift.
  static func factorCholesky(
    _ group: UnsafeMutablePointer<Scalar>, n: Int, pivots: UnsafeMutablePointer<Scalar>,
    _ scratch: UnsafeMutablePointer<Scalar>, ahead: Lookahead<Scalar>
  ) -> Bool
  /// Solutions by Cholesky factors.
  static func solveCholesky(
    _ factor: UnsafePointer<Scalar>, n: Int, _ right: UnsafeMutablePointer<Scalar>, columns: Int,
    _ scratch: UnsafeMutablePointer<Scalar>)
  /// The inverses of any matrices: see LaneInverse.swift.
  static func invertGeneral(
    _ group: UnsafeMutablePointer<Scalar>, n: Int, pivots: UnsafeMutablePointer<Scalar>,
    _ scratch: UnsafeMutablePointer<Scalar>, ahead: Lookahead<Scalar>
  ) -> Bool

  /// A packed group of symmetric matrices plus outer products: see LaneProducts.swift.
  static func addOuterProduct(
    _ x: UnsafePointer<Scalar>, n: Int, alpha: Scalar, beta: Scalar, _ packed: UnsafePointer<Scalar>,
    to target: UnsafeMutablePointer<Scalar>, stride: Int)
  /// A packed group of symmetric matrices times vectors.
  static func multiplySymmetric(
    _ packed: UnsafePointer<Scalar>, stride: Int, n: Int, _ x: UnsafePointer<Scalar>,
    to y: UnsafeMutablePointer<Scalar>)
}
