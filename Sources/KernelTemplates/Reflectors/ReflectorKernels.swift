/// The entry points for what a factorization by reflectors cannot put into products of matrices.
public protocol ReflectorKernels<Scalar> {
  associatedtype Scalar

  /// xᵀ times every row: see RowProducts.swift.
  static func multiplyRows(
    _ a: MatrixPointer<Scalar>, _ x: UnsafePointer<Scalar>, to y: UnsafeMutablePointer<Scalar>)
  /// What some rows of the lower triangle of a symmetric A give to A·x: see SymmetricProduct.swift.
  static func multiplySymmetric(
    _ a: MatrixPointer<Scalar>, rows: Range<Int>, _ x: UnsafePointer<Scalar>,
    to y: UnsafeMutablePointer<Scalar>)
  /// A chain of plane rotations of adjacent rows: see Rotations.swift.
  static func rotateRows(
    _ z: MutableMatrixPointer<Scalar>, _ rotations: UnsafePointer<PlaneRotation<Scalar>>, count: Int)
}

/// c, s with c² + s² = 1.
@frozen
public struct PlaneRotation<Scalar> {
  public var c: Scalar
  public var s: Scalar

  @_alwaysEmitIntoClient @inline(__always)
  public init(c: Scalar, s: Scalar) {
    self.c = c
    self.s = s
  }
}
