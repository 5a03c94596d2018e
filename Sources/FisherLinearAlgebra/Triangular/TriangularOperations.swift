public import KernelTemplates

/// A triangular matrix T beside a general matrix B: what trsm and trmm work on.
///
///     left:   B ← α·T⁻¹·B   (trsm)      B ← α·T·B   (trmm)
///     right:  B ← α·B·T⁻¹               B ← α·B·T
///
/// B is m×n; T is m×m on the left and n×n on the right. Only `triangle` of T is read, and not its diagonal if that is
/// taken for ones. A transposed T is `a.transposed` with the other triangle. α = 0: T is not read, B becomes 0.
public struct Triangular<Scalar> {
  public var side: Side
  public var triangle: Triangle
  public var unitDiagonal: Bool
  public var alpha: Scalar
  public var a: MatrixPointer<Scalar>
  public var b: MutableMatrixPointer<Scalar>

  @inline(__always)
  public init(
    side: Side = .left, triangle: Triangle, unitDiagonal: Bool = false, alpha: Scalar,
    a: MatrixPointer<Scalar>, b: MutableMatrixPointer<Scalar>
  ) {
    self.side = side
    self.triangle = triangle
    self.unitDiagonal = unitDiagonal
    self.alpha = alpha
    self.a = a
    self.b = b
  }

  /// The same call with a lower triangle on the left: B·T = (Tᵀ·Bᵀ)ᵀ, and an upper triangle read backwards is lower.
  @inline(__always)
  var canonical: Triangular {
    var call = self
    if side == .right {
      (call.a, call.b, call.triangle) = (a.transposed, b.transposed, triangle.opposite)
      call.side = .left
    }
    if call.triangle == .upper {
      (call.a, call.b, call.triangle) = (call.a.rowsReversed.columnsReversed, call.b.rowsReversed, .lower)
    }
    return call
  }
}

/// The operands of B ← α·T⁻¹·B or α·B·T⁻¹.
public typealias Trsm = Triangular
/// The operands of B ← α·T·B or α·B·T.
public typealias Trmm = Triangular

/// Solving with a triangular matrix, and multiplying by one.
public protocol TriangularOperations {
  /// B ← α·T⁻¹·B or α·B·T⁻¹; see ``Triangular``. A zero on the diagonal divides as in the definition.
  func trsm<S: KernelScalar>(_ call: Trsm<S>, threads: Int)

  /// B ← α·T·B or α·B·T; see ``Triangular``.
  func trmm<S: KernelScalar>(_ call: Trmm<S>, threads: Int)
}

extension MatrixPointer {
  /// The rows in the opposite order.
  @inline(__always)
  var rowsReversed: Self {
    Self(
      base + max(0, rows - 1) * rowStride, rows: rows, columns: columns, rowStride: -rowStride,
      columnStride: columnStride)
  }

  /// The columns in the opposite order.
  @inline(__always)
  var columnsReversed: Self { transposed.rowsReversed.transposed }
}

extension MutableMatrixPointer {
  /// The rows in the opposite order.
  @inline(__always)
  var rowsReversed: Self {
    Self(
      base + max(0, rows - 1) * rowStride, rows: rows, columns: columns, rowStride: -rowStride,
      columnStride: columnStride)
  }
}
