// Operations on vectors and, elementwise, on matrices. Sums run over the elements in row-major order, so that their
// rounding does not depend on the layout; a matrix with gaps is copied for it, a row or a column is not.

import FisherRuntime

/// Σ xᵢ·yᵢ over all elements.
///
/// - Parameters:
///   - x: of any shape.
///   - y: of the same shape, or, if both are a single row or column, of the same number of elements.
///   - backend: what carries it out.
@specialized(where S == Float) @specialized(where S == Double)
public func dot<S: KernelScalar>(
  _ x: Matrix<S>, _ y: Matrix<S>, on backend: any Backend = NativeBackend()
) -> S {
  requireSameShape(x, y, "dot")
  return x.withElements { x in y.withElements { y in backend.dot(x, y) } }
}

/// √Σ xᵢ² over all elements, the Frobenius norm of a matrix, without overflow or underflow in between.
@specialized(where S == Float) @specialized(where S == Double)
public func nrm2<S: KernelScalar>(_ x: Matrix<S>, on backend: any Backend = NativeBackend()) -> S {
  x.withElements { backend.nrm2($0) }
}

/// Σ |xᵢ| over all elements.
@specialized(where S == Float) @specialized(where S == Double)
public func asum<S: KernelScalar>(_ x: Matrix<S>, on backend: any Backend = NativeBackend()) -> S {
  x.withElements { backend.asum($0) }
}

/// Where the largest |xᵢ| stands, the first in row-major order; the first NaN if there is one, nil if x is empty.
@specialized(where S == Float) @specialized(where S == Double)
public func iamax<S: KernelScalar>(
  _ x: Matrix<S>, on backend: any Backend = NativeBackend()
) -> (row: Int, column: Int)? {
  guard let index = x.withElements({ backend.iamax($0) }) else { return nil }
  return (index / x.columns, index % x.columns)
}

/// y ← α·x + y, elementwise.
///
/// - Parameters:
///   - alpha: α; with 0, x is not read.
///   - x: of the shape of `y`, or, if both are a single row or column, of the same number of elements.
///   - y: written in place unless its storage is shared.
///   - backend: what carries it out.
@specialized(where S == Float) @specialized(where S == Double)
public func axpy<S: KernelScalar>(
  alpha: S = 1, _ x: Matrix<S>, into y: inout Matrix<S>, on backend: any Backend = NativeBackend()
) {
  requireSameShape(x, y, "axpy")
  x.withPointer { x in
    y.withMutablePointer { y in
      if y.isOneVector && x.isOneVector {
        return backend.axpy(alpha: alpha, x: x.flattened, y: y.flattened)
      }
      // Columns where the columns are contiguous, rows otherwise.
      let (x, y) = y.rowStride == 1 ? (x.transposed, y.transposed) : (x, y)
      for i in 0..<y.rows { backend.axpy(alpha: alpha, x: x.row(i), y: y.row(i)) }
    }
  }
}

/// x ← α·x, elementwise.
///
/// - Parameters:
///   - alpha: α; with 0, x is not read and becomes 0.
///   - x: of any shape; written in place unless its storage is shared.
///   - backend: what carries it out.
@specialized(where S == Float) @specialized(where S == Double)
public func scal<S: KernelScalar>(
  alpha: S, _ x: inout Matrix<S>, on backend: any Backend = NativeBackend()
) {
  x.withMutablePointer(discarding: alpha == 0) { x in
    if x.isOneVector { return backend.scal(alpha: alpha, x: x.flattened) }
    let x = x.rowStride == 1 ? x.transposed : x
    for i in 0..<x.rows { backend.scal(alpha: alpha, x: x.row(i)) }
  }
}

@inline(__always)
private func requireSameShape<S>(
  _ x: borrowing Matrix<S>, _ y: borrowing Matrix<S>, _ operation: StaticString
) {
  require(
    (x.rows == y.rows && x.columns == y.columns)
      || (x.isVector && y.isVector && x.count == y.count),
    "\(operation): x is \(x.rows)×\(x.columns) and y is \(y.rows)×\(y.columns); they must have the same shape"
  )
}

extension Matrix {
  /// Lends all elements in row-major order as one vector, copying them only if they have gaps.
  @inline(__always)
  fileprivate func withElements<R>(_ body: (VectorPointer<Scalar>) -> R) -> R {
    if pointer.isOneVector { return withPointer { body($0.flattened) } }
    return compactCopy().withPointer { body($0.flattened) }
  }
}

extension MatrixPointer {
  /// The elements in row-major order lie at equal distances.
  @inline(__always)
  fileprivate var isOneVector: Bool {
    rows == 1 || columns == 1 || (columnStride == 1 && rowStride == columns) || rows == 0
  }

  /// The elements of a matrix that is one vector.
  @inline(__always)
  fileprivate var flattened: VectorPointer<Scalar> {
    rows == 1 || columns == 1 ? vector : VectorPointer(base, count: rows &* columns, stride: 1)
  }

  @inline(__always)
  fileprivate func row(_ i: Int) -> VectorPointer<Scalar> {
    VectorPointer(base + i &* rowStride, count: columns, stride: columnStride)
  }
}

extension MutableMatrixPointer {
  @inline(__always)
  fileprivate var isOneVector: Bool { readOnly.isOneVector }

  @inline(__always)
  fileprivate var flattened: MutableVectorPointer<Scalar> {
    rows == 1 || columns == 1 ? vector : MutableVectorPointer(base, count: rows &* columns, stride: 1)
  }

  @inline(__always)
  fileprivate func row(_ i: Int) -> MutableVectorPointer<Scalar> {
    MutableVectorPointer(base + i &* rowStride, count: columns, stride: columnStride)
  }
}
