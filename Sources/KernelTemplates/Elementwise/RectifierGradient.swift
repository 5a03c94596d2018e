// δ ← δ ⊙ f′ for f(x) = x if x > 0, else slope·x, told by the output y = f(x); and Σ δ down the columns.
//
// One pass over memory in the order in which it lies. The running sums of a row's length stay in the first-level cache.

extension VectorUnit where Vector: SIMD, Vector.Scalar == Scalar, Scalar: BinaryFloatingPoint & SIMDScalar {
  /// Columns are contiguous. With a slope of 1, δ and y are not touched and only the sums are formed.
  @_alwaysEmitIntoClient
  public static func rectifyGradient(
    _ δ: MutableMatrixPointer<Scalar>, output y: MatrixPointer<Scalar>, slope: Scalar,
    sums: UnsafeMutablePointer<Scalar>?
  ) {
    if let sums {
      for j in 0..<δ.columns { sums[j] = 0 }
    }
    for i in 0..<δ.rows {
      let (d, o) = (δ.base + i &* δ.rowStride, y.base + i &* y.rowStride)
      var j = 0
      while j &+ lanes <= δ.columns {
        var v = load(UnsafePointer(d + j))
        if slope != 1 {
          v = select(v, multiply(broadcast(slope), v), where: load(o + j), exceeds: zero)
          store(v, to: d + j)
        }
        if let sums { store(load(UnsafePointer(sums + j)) + v, to: sums + j) }
        j &+= lanes
      }
      while j < δ.columns {
        if slope != 1 && !(o[j] > 0) { d[j] = slope * d[j] }
        if let sums { sums[j] += d[j] }
        j &+= 1
      }
    }
  }
}
