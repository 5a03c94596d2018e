// Overlap of strided operands, for callers that pass bare pointers. Matrices cannot overlap: an output is `inout`,
// and what shares its storage makes it copy first.

import FisherRuntime

/// The bytes of a strided matrix as equal intervals at equal distances: `count` intervals of `width` bytes, interval
/// i at `first + i * distance`.
///
/// The interval covers one row or column, along the smaller stride, with the gaps between its elements.
struct ByteIntervals {
  var first: Int
  var count: Int
  var distance: Int
  var width: Int

  init<S>(_ matrix: MatrixPointer<S>) {
    let size = MemoryLayout<S>.stride
    var inner = (count: matrix.columns, stride: matrix.columnStride)
    var outer = (count: matrix.rows, stride: matrix.rowStride)
    // A single element has no neighbour, so the stride in that direction means nothing: a vector is one interval if
    // it is contiguous, and one for each element otherwise.
    if inner.count == 1 { swap(&inner, &outer) }
    if outer.count == 1 ? abs(inner.stride) != 1 : abs(inner.stride) > abs(outer.stride) {
      swap(&inner, &outer)
    }
    let lowest =
      min(0, (inner.count - 1) * inner.stride) + min(0, (outer.count - 1) * outer.stride)
    first = Int(bitPattern: matrix.base) + lowest * size
    count = outer.count
    distance = abs(outer.stride) * size
    width = (abs(inner.stride) * (inner.count - 1) + 1) * size
  }

  /// The address behind the last byte.
  var end: Int { first + (count - 1) * distance + width }

  /// Some byte lies in an interval of both, or, where the distances differ, the ranges from first to last byte meet.
  func meets(_ other: ByteIntervals) -> Bool {
    guard first < other.end && other.first < end else { return false }
    guard distance == other.distance || count == 1 || other.count == 1 else { return true }
    let distance = count == 1 ? other.distance : self.distance
    if distance == 0 || (count == 1 && other.count == 1) { return true }
    // Intervals i and i' meet exactly if −width < (i − i') · distance − gap < other.width. There is such an i − i' if
    // the smallest one above the lower bound is below the upper; it exists in both, for the ranges meet.
    let gap = other.first - first
    let above = gap - width
    let steps = (above >= 0 ? above / distance : -((distance - 1 - above) / distance)) + 1
    return steps * distance < gap + other.width
  }
}

/// Whether the two matrices share memory.
///
/// Exact for ordinary matrices (contiguous rows or columns) with the same leading dimension, such as two blocks of
/// one parent, and for vectors; otherwise true as soon as the ranges between first and last byte meet.
package func overlap<S>(_ a: MatrixPointer<S>, _ b: MatrixPointer<S>) -> Bool {
  if a.rows == 0 || a.columns == 0 || b.rows == 0 || b.columns == 0 { return false }
  return ByteIntervals(a).meets(ByteIntervals(b))
}

/// Whether no two elements of `c` share an address.
package func hasDistinctElements<S>(_ c: MutableMatrixPointer<S>) -> Bool {
  let (r, s) = (abs(c.rowStride), abs(c.columnStride))
  if c.rows == 0 || c.columns == 0 || (c.rows == 1 && c.columns == 1) { return true }
  if c.rows == 1 || c.columns == 1 { return (c.rows == 1 ? s : r) != 0 }
  if r == 0 || s == 0 { return false }
  if r >= s * c.columns || s >= r * c.rows { return true }
  // (i, j) and (i', j') coincide when (i − i') · r = ± (j − j') · s, so at the least after s/g rows and r/g columns.
  let g = greatestCommonDivisor(r, s)
  return s / g >= c.rows || r / g >= c.columns
}

/// Traps if two elements of the output `c` share an address.
package func requireDistinctElements<S>(
  _ c: MutableMatrixPointer<S>, _ name: StaticString, _ operation: StaticString
) {
  require(
    hasDistinctElements(c),
    """
    \(operation): \(name) is \(c.shape) with row stride \(c.rowStride) and column stride \(c.columnStride), so \
    that elements share an address
    """)
}

/// Traps if the output `c` shares memory with the operand `a`.
package func requireDisjoint<S>(
  _ c: MutableMatrixPointer<S>, _ nameC: StaticString, _ a: MatrixPointer<S>, _ nameA: StaticString,
  _ operation: StaticString
) {
  require(
    !overlap(c.readOnly, a),
    "\(operation): the output \(nameC) of \(c.shape) overlaps \(nameA) of \(a.shape)")
}

private func greatestCommonDivisor(_ a: Int, _ b: Int) -> Int {
  b == 0 ? a : greatestCommonDivisor(b, a % b)
}
