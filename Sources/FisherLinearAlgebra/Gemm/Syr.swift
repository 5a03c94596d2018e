import FisherRuntime
public import KernelTemplates

/// One triangle of A ← A + x·(α·x)ᵀ.
///
/// α is applied to x, and then the product is formed, as in BLAS: α = 1e-25 and x = 1e25 add 1e25 in `Float`, whereas
/// ``syrk(alpha:_:beta:into:triangle:mirror:on:threads:)`` with one column would add infinity.
///
/// - Parameters:
///   - alpha: α; with 0, nothing is read or written.
///   - x: n elements, one row or one column.
///   - a: n×n; written in place unless its storage is shared. The other triangle is neither read nor written.
///   - triangle: the half of A that is read and written.
///   - backend: what computes it.
@specialized(where S == Float) @specialized(where S == Double)
public func syr<S: KernelScalar>(
  alpha: S = 1, _ x: Matrix<S>, into a: inout Matrix<S>, triangle: Triangle = .lower,
  on backend: any Backend = NativeBackend()
) {
  requireVector(x, "x", "syr")
  require(
    a.rows == x.count && a.columns == x.count,
    "syr: x has \(x.count) elements and A is \(a.rows)×\(a.columns); A must be \(x.count)×\(x.count)")
  if alpha == 0 { return }
  x.withPointer { x in
    a.withMutablePointer { a in
      x.vector.withScaled(by: alpha) { y in
        // Rows where rows are contiguous, else columns: the same products either way.
        let byRows = a.columnStride == 1 || a.rowStride != 1
        let (a, left, right) = byRows ? (a, x.vector, y) : (a.transposed, y, x.vector)
        let isLower = (triangle == .lower) == byRows
        for i in 0..<a.rows {
          let (first, count) = isLower ? (0, i + 1) : (i, a.rows - i)
          backend.ger(
            alpha: 1, x: left.part(i, 1), y: right.part(first, count),
            a: a.block(i, first, rows: 1, columns: count), threads: 1)
        }
      }
    }
  }
}

extension VectorPointer {
  /// Elements from `start` on.
  @inline(__always)
  fileprivate func part(_ start: Int, _ count: Int) -> VectorPointer<Scalar> {
    VectorPointer(base + start * stride, count: count, stride: stride)
  }
}
