import FisherRuntime

/// Where the elements of a matrix lie in its storage: (i, j) at `offset + i * rowStride + j * columnStride`.
@usableFromInline
struct MatrixLayout: Equatable, Sendable {
  @usableFromInline var offset: Int
  @usableFromInline var rows: Int
  @usableFromInline var columns: Int
  @usableFromInline var rowStride: Int
  @usableFromInline var columnStride: Int

  /// Row-major without gaps.
  static func compact(rows: Int, columns: Int) -> MatrixLayout {
    MatrixLayout(offset: 0, rows: rows, columns: columns, rowStride: columns, columnStride: 1)
  }

  var count: Int { rows &* columns }

  /// Row-major without gaps, which a matrix of one row or one column, or an empty one, may be with other strides.
  var isCompact: Bool {
    if count == 0 { return true }
    return (columns == 1 || columnStride == 1) && (rows == 1 || rowStride == columns)
  }

  var transposed: MatrixLayout {
    MatrixLayout(
      offset: offset, rows: columns, columns: rows, rowStride: columnStride, columnStride: rowStride)
  }

  @usableFromInline
  func block(rows r: Range<Int>, columns c: Range<Int>) -> MatrixLayout {
    require(
      r.lowerBound >= 0 && r.upperBound <= rows && c.lowerBound >= 0 && c.upperBound <= columns,
      "Matrix: the block of rows \(r) and columns \(c) does not lie in a matrix of \(rows)×\(columns)")
    return MatrixLayout(
      offset: offset + r.lowerBound * rowStride + c.lowerBound * columnStride,
      rows: r.count, columns: c.count, rowStride: rowStride, columnStride: columnStride)
  }
}
