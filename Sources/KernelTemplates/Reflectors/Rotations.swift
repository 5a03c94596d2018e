// A chain of plane rotations of adjacent rows, from the last row up, as one sweep of the QL iteration makes it:
//
//     ⎡ zₖ   ⎤   ⎡ c  −s ⎤ ⎡ zₖ   ⎤
//     ⎣ zₖ₊₁ ⎦ ← ⎣ s   c ⎦·⎣ zₖ₊₁ ⎦          k = rows − 2, …, 0,   rotation t = rows − 2 − k
//
// The row between two rotations stays in a register: one load and one store for each rotation and vector.

extension VectorUnit where Vector: SIMD, Vector.Scalar == Scalar, Scalar: BinaryFloatingPoint & SIMDScalar {
  /// Applies `count` = rows − 1 rotations; the columns of Z are adjacent.
  @_alwaysEmitIntoClient
  public static func rotateRows(
    _ z: MutableMatrixPointer<Scalar>, _ rotations: UnsafePointer<PlaneRotation<Scalar>>, count: Int
  ) {
    var j = 0
    while j &+ 2 &* lanes <= z.columns {
      var row = z.base + (count &* z.rowStride &+ j)
      var (u, v) = (load(UnsafePointer(row)), load(UnsafePointer(row + lanes)))
      for t in 0..<count {
        let (c, s) = (broadcast(rotations[t].c), broadcast(rotations[t].s))
        let minusS = negate(s)
        let next = row - z.rowStride
        let (p, q) = (load(UnsafePointer(next)), load(UnsafePointer(next + lanes)))
        store(multiplyAdd(s, p, multiply(c, u)), to: row)
        store(multiplyAdd(s, q, multiply(c, v)), to: row + lanes)
        u = multiplyAdd(minusS, u, multiply(c, p))
        v = multiplyAdd(minusS, v, multiply(c, q))
        row = next
      }
      store(u, to: row)
      store(v, to: row + lanes)
      j &+= 2 &* lanes
    }
    while j < z.columns {
      let part = mask(first: min(lanes, z.columns &- j))
      var row = z.base + (count &* z.rowStride &+ j)
      var u = load(UnsafePointer(row), part)
      for t in 0..<count {
        let (c, s) = (broadcast(rotations[t].c), broadcast(rotations[t].s))
        let next = row - z.rowStride
        let p = load(UnsafePointer(next), part)
        store(multiplyAdd(s, p, multiply(c, u)), to: row, part)
        u = multiplyAdd(negate(s), u, multiply(c, p))
        row = next
      }
      store(u, to: row, part)
      j &+= lanes
    }
  }
}
