// The sum over the lanes of a vector, in halves: lane i and lane i + L/2 are added, and so on. Bits depend on the number of
// lanes alone.

extension VectorUnit where Vector: SIMD, Vector.Scalar == Scalar, Scalar: BinaryFloatingPoint & SIMDScalar {
  /// The sum of all lanes.
  @_alwaysEmitIntoClient @inline(__always)
  static func fold(_ v: Vector) -> Scalar {
    var folded = v
    var half = lanes / 2
    while half > 0 {
      for i in 0..<half { folded[i] = folded[i] + folded[i &+ half] }
      half /= 2
    }
    return folded[0]
  }

  /// The sums of all lanes of four vectors.
  ///
  /// The halves of two vectors make one, so that nearly all additions are those of whole vectors.
  @_alwaysEmitIntoClient @inline(__always)
  static func fold(_ a: Vector, _ b: Vector, _ c: Vector, _ d: Vector) -> SIMD4<Scalar> {
    let (ab, cd) = (addBlocks(of: lanes / 2, a, b), addBlocks(of: lanes / 2, c, d))
    if lanes == 2 { return SIMD4(ab[0], ab[1], cd[0], cd[1]) }
    // Quarters of the vector now belong to a, c, b and d.
    let quarter = lanes / 4
    var v = addBlocks(of: quarter, ab, cd)
    var width = quarter / 2
    while width > 0 {
      v = addBlocks(of: width, v, v)
      width /= 2
    }
    return SIMD4(v[0], v[2 &* quarter], v[quarter], v[3 &* quarter])
  }

  /// Blocks of `width` lanes of x and y in turn, each the sum of an even block and the odd one after it.
  @_alwaysEmitIntoClient @inline(__always)
  static func addBlocks(of width: Int, _ x: Vector, _ y: Vector) -> Vector {
    blocks(of: width, from: 0, x, y) + blocks(of: width, from: 1, x, y)
  }
}
