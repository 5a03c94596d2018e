// What every routine works on: a pointer, a shape and strides in elements. No ownership, no checks.

/// A read-only strided matrix: element (i, j) lies at `base[i * rowStride + j * columnStride]`.
///
/// Any stride is allowed for inputs, 0 and negative ones included. Row-major storage has `columnStride == 1`,
/// column-major storage `rowStride == 1`.
@frozen
public struct MatrixPointer<Scalar> {
  public var base: UnsafePointer<Scalar>
  public var rows: Int
  public var columns: Int
  public var rowStride: Int
  public var columnStride: Int

  @_alwaysEmitIntoClient @inline(__always)
  public init(_ base: UnsafePointer<Scalar>, rows: Int, columns: Int, rowStride: Int, columnStride: Int) {
    self.base = base
    self.rows = rows
    self.columns = columns
    self.rowStride = rowStride
    self.columnStride = columnStride
  }

  /// The same elements with rows and columns exchanged.
  @_alwaysEmitIntoClient @inline(__always)
  public var transposed: MatrixPointer {
    MatrixPointer(base, rows: columns, columns: rows, rowStride: columnStride, columnStride: rowStride)
  }

  /// The element (i, j).
  @_alwaysEmitIntoClient @inline(__always)
  public subscript(i: Int, j: Int) -> Scalar { base[i &* rowStride &+ j &* columnStride] }

  /// The block of `rows` × `columns` elements whose first element is (i, j).
  @_alwaysEmitIntoClient @inline(__always)
  public func block(_ i: Int, _ j: Int, rows: Int, columns: Int) -> MatrixPointer {
    MatrixPointer(
      base + (i &* rowStride &+ j &* columnStride), rows: rows, columns: columns, rowStride: rowStride,
      columnStride: columnStride)
  }
}

/// A writable strided matrix: element (i, j) lies at `base[i * rowStride + j * columnStride]`.
///
/// No two elements may share an address.
@frozen
public struct MutableMatrixPointer<Scalar> {
  public var base: UnsafeMutablePointer<Scalar>
  public var rows: Int
  public var columns: Int
  public var rowStride: Int
  public var columnStride: Int

  @_alwaysEmitIntoClient @inline(__always)
  public init(
    _ base: UnsafeMutablePointer<Scalar>, rows: Int, columns: Int, rowStride: Int, columnStride: Int
  ) {
    self.base = base
    self.rows = rows
    self.columns = columns
    self.rowStride = rowStride
    self.columnStride = columnStride
  }

  /// The same elements with rows and columns exchanged.
  @_alwaysEmitIntoClient @inline(__always)
  public var transposed: MutableMatrixPointer {
    MutableMatrixPointer(base, rows: columns, columns: rows, rowStride: columnStride, columnStride: rowStride)
  }

  /// The same elements, to be read only.
  @_alwaysEmitIntoClient @inline(__always)
  public var readOnly: MatrixPointer<Scalar> {
    MatrixPointer(base, rows: rows, columns: columns, rowStride: rowStride, columnStride: columnStride)
  }

  /// The element (i, j).
  @_alwaysEmitIntoClient @inline(__always)
  public subscript(i: Int, j: Int) -> Scalar {
    get { base[i &* rowStride &+ j &* columnStride] }
    nonmutating set { base[i &* rowStride &+ j &* columnStride] = newValue }
  }

  /// The block of `rows` × `columns` elements whose first element is (i, j).
  @_alwaysEmitIntoClient @inline(__always)
  public func block(_ i: Int, _ j: Int, rows: Int, columns: Int) -> MutableMatrixPointer {
    MutableMatrixPointer(
      base + (i &* rowStride &+ j &* columnStride), rows: rows, columns: columns, rowStride: rowStride,
      columnStride: columnStride)
  }
}

/// A read-only strided vector: element i lies at `base[i * stride]`.
@frozen
public struct VectorPointer<Scalar> {
  public var base: UnsafePointer<Scalar>
  public var count: Int
  public var stride: Int

  @_alwaysEmitIntoClient @inline(__always)
  public init(_ base: UnsafePointer<Scalar>, count: Int, stride: Int = 1) {
    self.base = base
    self.count = count
    self.stride = stride
  }

  @_alwaysEmitIntoClient @inline(__always)
  public subscript(i: Int) -> Scalar { base[i &* stride] }
}

/// A writable strided vector: element i lies at `base[i * stride]`, `stride` is not 0.
@frozen
public struct MutableVectorPointer<Scalar> {
  public var base: UnsafeMutablePointer<Scalar>
  public var count: Int
  public var stride: Int

  @_alwaysEmitIntoClient @inline(__always)
  public init(_ base: UnsafeMutablePointer<Scalar>, count: Int, stride: Int = 1) {
    self.base = base
    self.count = count
    self.stride = stride
  }

  /// The same elements, to be read only.
  @_alwaysEmitIntoClient @inline(__always)
  public var readOnly: VectorPointer<Scalar> { VectorPointer(base, count: count, stride: stride) }

  @_alwaysEmitIntoClient @inline(__always)
  public subscript(i: Int) -> Scalar {
    get { base[i &* stride] }
    nonmutating set { base[i &* stride] = newValue }
  }
}
