// A triangle of a packed square, written to a matrix: where the matrix has its columns contiguous, by way of transposed
// squares of registers.

extension VectorUnit where Vector: SIMD, Vector.Scalar == Scalar, Scalar: BinaryFloatingPoint & SIMDScalar {
  /// Copies the region of a matrix with contiguous rows; `scratch` has room for L × L elements.
  @_alwaysEmitIntoClient
  public static func copy(
    _ source: MatrixPointer<Scalar>, _ region: Region, to target: MutableMatrixPointer<Scalar>,
    _ scratch: UnsafeMutablePointer<Scalar>
  ) {
    if target.rowStride == 1 && target.columnStride != 1 {
      return copyTurned(source, region.transposed, to: target.transposed, scratch)
    }
    for i in 0..<source.rows {
      let (start, end) = region.columns(ofRow: i, from: 0, count: source.columns)
      let row = source.base + i &* source.rowStride
      var j = start
      while target.columnStride == 1 && j < end {
        let these = mask(first: min(lanes, end &- j))
        store(load(row + j, these), to: target.base + (i &* target.rowStride &+ j), these)
        j &+= lanes
      }
      while j < end {
        target[i, j] = row[j]
        j &+= 1
      }
    }
  }

  /// Target ← sourceᵀ on the region of the target, whose rows are contiguous too.
  @_alwaysEmitIntoClient @inline(__always)
  static func copyTurned(
    _ source: MatrixPointer<Scalar>, _ region: Region, to target: MutableMatrixPointer<Scalar>,
    _ scratch: UnsafeMutablePointer<Scalar>
  ) {
    var i = 0
    while i < target.rows {
      var j = 0
      while j < target.columns {
        copySquare(
          SquareCall(
            rows: min(lanes, target.columns &- j), columns: min(lanes, target.rows &- i),
            source: source.base + (j &* source.rowStride &+ i), rowStride: source.rowStride, target: scratch,
            targetStride: lanes), region, to: target, i, j)
        j &+= lanes
      }
      i &+= lanes
    }
  }

  /// The square whose transpose begins with the element (i, j) of the target.
  @_alwaysEmitIntoClient @inline(__always)
  static func copySquare(
    _ square: SquareCall<Scalar>, _ region: Region, to target: MutableMatrixPointer<Scalar>, _ i: Int,
    _ j: Int
  ) {
    if case .none = region.overlap(i, j, rows: square.columns, columns: square.rows) { return }
    transposeSquare(square)
    for row in 0..<square.columns {
      let (start, end) = region.columns(ofRow: i &+ row, from: j, count: square.rows)
      if start >= end { continue }
      let these = mask(first: end &- start)
      store(
        load(UnsafePointer(square.target + (row &* lanes &+ start)), these),
        to: target.base + ((i &+ row) &* target.rowStride &+ j &+ start), these)
    }
  }
}
