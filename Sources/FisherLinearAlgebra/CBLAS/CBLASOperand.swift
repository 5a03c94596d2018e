// How CBLAS describes a matrix: an order, a leading dimension, and whether it is to be transposed.

/// The order of the elements, with its value in C.
package enum CBLASOrder: Int32 {
  case rowMajor = 101
  case columnMajor = 102
}

/// The matrix that a call writes, or the only one: it decides the order.
struct CBLASTarget {
  var order: CBLASOrder
  var leading: Int

  /// Nil if `c` has gaps in both directions.
  @inline(__always)
  init?<S>(_ c: MatrixPointer<S>) {
    if let leading = leadingDimension(of: c, in: .rowMajor) {
      (order, self.leading) = (.rowMajor, leading)
    } else if let leading = leadingDimension(of: c, in: .columnMajor) {
      (order, self.leading) = (.columnMajor, leading)
    } else {
      return nil
    }
  }
}

extension Triangle {
  /// The value in C, which belongs to the matrix and not to its order.
  var cblas: Int32 { self == .upper ? 121 : 122 }
}

/// A matrix that is only read, as it is described in a given order.
struct CBLASOperand {
  var isTransposed: Bool
  var leading: Int

  @inline(__always)
  init?<S>(_ a: MatrixPointer<S>, in order: CBLASOrder) {
    if let leading = leadingDimension(of: a, in: order) {
      (isTransposed, self.leading) = (false, leading)
    } else if let leading = leadingDimension(of: a.transposed, in: order) {
      (isTransposed, self.leading) = (true, leading)
    } else {
      return nil
    }
  }

  /// The value in C.
  var transposition: Int32 { isTransposed ? 112 : 111 }
}

/// The distance between rows (row-major) or columns, which CBLAS wants to be at least their length and 1; nil if the
/// strides are others.
///
/// The stride in a direction that has one element means nothing, and may be anything.
@inline(__always)
package func leadingDimension<S>(of a: MatrixPointer<S>, in order: CBLASOrder) -> Int? {
  let a = order == .rowMajor ? a : a.transposed
  guard a.columns <= 1 || a.columnStride == 1 else { return nil }
  let least = max(1, a.columns)
  if a.rows <= 1 { return least }
  return a.rowStride >= least ? a.rowStride : nil
}

extension VectorPointer {
  /// The lowest address, from which CBLAS counts whatever the sign of the stride.
  @inline(__always)
  var lowest: UnsafePointer<Scalar> { stride < 0 && count > 0 ? base + (count - 1) * stride : base }
}

extension MutableVectorPointer {
  @inline(__always)
  var lowest: UnsafeMutablePointer<Scalar> { stride < 0 && count > 0 ? base + (count - 1) * stride : base }
}
