extension Matrix {
  /// The elements in row-major order.
  public var array: [Scalar] {
    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    get {
      withSpan { elements in
        [Scalar](unsafeUninitializedCapacity: elements.count) { buffer, count in
          elements.withUnsafeBufferPointer { count = buffer.update(fromContentsOf: $0) }
        }
      }
    }
  }

  /// Lends the elements in row-major order; ``isContiguous`` matrices without a copy, others as a copy.
  public func withSpan<R, E>(_ body: (Span<Scalar>) throws(E) -> R) throws(E) -> R {
    let contiguous = compacted()
    defer { withExtendedLifetime(contiguous.storage) {} }
    return try body(UnsafeBufferPointer(start: contiguous.address, count: count).span)
  }

  /// Lends the elements in row-major order to be changed; copies first if the storage is shared or has gaps.
  ///
  /// A matrix that is not ``isContiguous`` moves to a storage of its own, row-major without gaps; so does a block of
  /// another matrix, whose elements are copied back when the access ends.
  public mutating func withMutableSpan<R, E>(_ body: (inout MutableSpan<Scalar>) throws(E) -> R) throws(E)
    -> R
  {
    if !layout.isCompact { self = compactCopy() }
    makeUnique()
    defer { withExtendedLifetime(storage) {} }
    var elements = UnsafeMutableBufferPointer(start: address, count: count).mutableSpan
    return try body(&elements)
  }

  /// This matrix if it is contiguous, otherwise a copy that is.
  public func compacted() -> Matrix {
    layout.isCompact ? self : compactCopy()
  }

  @specialized(where Scalar == Float) @specialized(where Scalar == Double)
  func compactCopy() -> Matrix {
    Matrix(
      rows: rows, columns: columns,
      unsafeUninitialized: { target in withExtendedLifetime(storage) { copyElements(of: pointer, to: target) }
      })
  }

  /// The elements as the routines take them; valid while `storage` lives.
  @inline(__always)
  package var pointer: MatrixPointer<Scalar> { mutablePointer.readOnly }

  @inline(__always)
  var mutablePointer: MutableMatrixPointer<Scalar> {
    MutableMatrixPointer(
      address, rows: rows, columns: columns, rowStride: rowStride, columnStride: columnStride)
  }

  /// Lends the elements as the routines take them.
  @inline(__always)
  package func withPointer<R>(_ body: (MatrixPointer<Scalar>) -> R) -> R {
    withExtendedLifetime(storage) { body(pointer) }
  }

  /// Lends the elements to be written, in place if nobody shares them.
  ///
  /// - Parameter discarding: the elements will all be overwritten and never read, so sharing costs no copy.
  @inline(__always)
  package mutating func withMutablePointer<R>(
    discarding: Bool = false, _ body: (MutableMatrixPointer<Scalar>) -> R
  ) -> R {
    makeUnique(keepingElements: !discarding)
    return withExtendedLifetime(storage) { body(mutablePointer) }
  }
}

/// Copies a matrix into another of the same shape that does not overlap it.
@inline(__always)
func copyElements<S: KernelScalar>(of source: MatrixPointer<S>, to target: MutableMatrixPointer<S>) {
  if source.columnStride == 1 && target.columnStride == 1 {
    for i in 0..<source.rows {
      (target.base + i * target.rowStride).update(
        from: source.base + i * source.rowStride, count: source.columns)
    }
  } else {
    // Few columns at a time, so that cache lines that lie along them are read whole while they are in the first level.
    let side = 16
    var left = 0
    while left + side <= source.columns {
      for i in 0..<source.rows {
        for j in left..<left + side { target[i, j] = source[i, j] }
      }
      left += side
    }
    for i in 0..<source.rows {
      for j in left..<source.columns { target[i, j] = source[i, j] }
    }
  }
}
