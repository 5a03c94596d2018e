// B ← L⁻¹·B with L unit lower triangular and small, rows of B contiguous: forward substitution, row by row,
//
//     bᵢ ← bᵢ − Σ_{p<i} lᵢₚ·bₚ
//
// four vectors of columns at a time, so that the block of B stays in the first-level cache and four chains are in flight.

extension VectorUnit where Vector: SIMD, Vector.Scalar == Scalar, Scalar: BinaryFloatingPoint & SIMDScalar {
  /// B ← L⁻¹·B; the diagonal and the upper triangle of L are not read, and the columns of B are adjacent.
  @_alwaysEmitIntoClient
  public static func solveUnitLower(_ l: MatrixPointer<Scalar>, _ b: MutableMatrixPointer<Scalar>) {
    var j = 0
    while j &+ 4 &* lanes <= b.columns {
      solveStrip(Whole4<Self>.self, l, b.base + j, b.rowStride, mask(first: lanes))
      j &+= 4 &* lanes
    }
    while j < b.columns {
      solveStrip(Part<Self>.self, l, b.base + j, b.rowStride, mask(first: min(lanes, b.columns &- j)))
      j &+= lanes
    }
  }

  @_alwaysEmitIntoClient @inline(__always)
  static func solveStrip<S: Strip>(
    _ strip: S.Type, _ l: MatrixPointer<Scalar>, _ b: UnsafeMutablePointer<Scalar>, _ stride: Int,
    _ last: Mask
  ) where S.Unit == Self {
    for i in 0..<l.rows {
      var sum = S(loading: UnsafePointer(b + i &* stride), last)
      for p in 0..<i {
        sum.multiplyAdd(broadcast(-l[i, p]), S(loading: UnsafePointer(b + p &* stride), last))
      }
      sum.overwrite(b + i &* stride, one, last)
    }
  }
}
