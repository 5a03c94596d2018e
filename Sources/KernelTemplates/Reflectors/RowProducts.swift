// yᵢ ← Σⱼ aᵢⱼ·xⱼ where rows of A are contiguous: products along the vectors. Four rows share the vectors of x, each with
// two chains, which are added lane by lane in the end.
//
// Error: |yᵢ − exact| ≤ about (n/(2L) + log₂ L + 2)·u·Σ|aᵢⱼ·xⱼ|, L the lanes of a vector.

extension VectorUnit where Vector: SIMD, Vector.Scalar == Scalar, Scalar: BinaryFloatingPoint & SIMDScalar {
  /// y ← A·x; the columns of A are adjacent.
  @_alwaysEmitIntoClient
  public static func multiplyRows(
    _ a: MatrixPointer<Scalar>, _ x: UnsafePointer<Scalar>, to y: UnsafeMutablePointer<Scalar>
  ) {
    var i = 0
    while i &+ 4 <= a.rows {
      multiplyFourRows(a.base + i &* a.rowStride, a.rowStride, count: a.columns, x, to: y + i)
      i &+= 4
    }
    while i < a.rows {
      let row = VectorPointer(a.base + i &* a.rowStride, count: a.columns)
      y[i] = sum(.products, row, VectorPointer(x, count: a.columns))
      i &+= 1
    }
  }

  @_alwaysEmitIntoClient @inline(__always)
  static func multiplyFourRows(
    _ a: UnsafePointer<Scalar>, _ stride: Int, count: Int, _ x: UnsafePointer<Scalar>,
    to y: UnsafeMutablePointer<Scalar>
  ) {
    let (a1, a2, a3) = (a + stride, a + 2 &* stride, a + 3 &* stride)
    var (s0, s1, s2, s3) = (zero, zero, zero, zero)
    var (t0, t1, t2, t3) = (zero, zero, zero, zero)
    var j = 0
    while j &+ 2 &* lanes <= count {
      let (v, w) = (load(x + j), load(x + (j &+ lanes)))
      s0 = multiplyAdd(load(a + j), v, s0)
      s1 = multiplyAdd(load(a1 + j), v, s1)
      s2 = multiplyAdd(load(a2 + j), v, s2)
      s3 = multiplyAdd(load(a3 + j), v, s3)
      t0 = multiplyAdd(load(a + (j &+ lanes)), w, t0)
      t1 = multiplyAdd(load(a1 + (j &+ lanes)), w, t1)
      t2 = multiplyAdd(load(a2 + (j &+ lanes)), w, t2)
      t3 = multiplyAdd(load(a3 + (j &+ lanes)), w, t3)
      j &+= 2 &* lanes
    }
    while j < count {
      let part = mask(first: min(lanes, count &- j))
      let v = load(x + j, part)
      s0 = multiplyAdd(load(a + j, part), v, s0)
      s1 = multiplyAdd(load(a1 + j, part), v, s1)
      s2 = multiplyAdd(load(a2 + j, part), v, s2)
      s3 = multiplyAdd(load(a3 + j, part), v, s3)
      j &+= lanes
    }
    UnsafeMutableRawPointer(y).storeBytes(
      of: fold(s0 + t0, s1 + t1, s2 + t2, s3 + t3), as: SIMD4<Scalar>.self)
  }
}
