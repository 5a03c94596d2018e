// What all operations check before they call a backend, and how they say it.

import FisherRuntime

extension MatrixPointer {
  /// The shape in messages: `3×4`.
  var shape: String { "\(rows)×\(columns)" }

  /// The one row or column of this matrix as a vector.
  @inline(__always)
  var vector: VectorPointer<Scalar> {
    rows == 1
      ? VectorPointer(base, count: columns, stride: columnStride)
      : VectorPointer(base, count: rows, stride: rowStride)
  }
}

extension MutableMatrixPointer {
  /// The shape in messages: `3×4`.
  var shape: String { "\(rows)×\(columns)" }

  /// The one row or column of this matrix as a vector.
  @inline(__always)
  var vector: MutableVectorPointer<Scalar> {
    rows == 1
      ? MutableVectorPointer(base, count: columns, stride: columnStride)
      : MutableVectorPointer(base, count: rows, stride: rowStride)
  }
}

extension VectorPointer {
  /// This vector as a matrix of one column.
  @inline(__always)
  var column: MatrixPointer<Scalar> {
    MatrixPointer(base, rows: count, columns: 1, rowStride: stride, columnStride: 1)
  }
}

extension MutableVectorPointer {
  /// This vector as a matrix of one column.
  @inline(__always)
  var column: MutableMatrixPointer<Scalar> {
    MutableMatrixPointer(base, rows: count, columns: 1, rowStride: stride, columnStride: 1)
  }
}

@inline(__always)
func requireThreads(_ threads: Int, _ operation: StaticString) {
  require(threads >= 1, "\(operation): threads is \(threads), it must be at least 1")
}

/// A matrix that is used as a vector has one row or one column.
@inline(__always)
func requireVector<S>(_ x: borrowing Matrix<S>, _ name: StaticString, _ operation: StaticString) {
  require(
    x.isVector, "\(operation): \(name) is \(x.rows)×\(x.columns); a vector has one row or one column")
}
