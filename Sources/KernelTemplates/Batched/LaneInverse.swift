// The inverses of L matrices at once, one in each lane, by Gauss-Jordan elimination with partial pivoting in every lane.
//
//     for k:  exchange row k with the row i ≥ k whose |A_ik| is largest
//             A_kj ← A_kj/A_kk, A_kk ← 1/A_kk           A_ij ← A_ij − A_ik·A_kj, A_ik ← −A_ik/A_kk       i, j ≠ k
//     undo the exchanges as exchanges of columns, in the opposite order
//
// The lanes exchange different rows, so every exchange is n blends over all rows that may be meant: n³ blends beside n³
// multiply-adds, which is why this is for small n. A matrix is singular, or has a NaN, exactly if a pivot is 0 or NaN.
// Error: each column of A·X − I is at most c·n·u·‖|A|‖·‖|X|‖ times the growth of the elements (Higham 2002, 14.4).

extension VectorUnit where Vector: SIMD, Vector.Scalar == Scalar, Scalar: BinaryFloatingPoint & SIMDScalar {
  /// Replaces the group of n × n matrices by its inverses; writes the magnitudes of the n pivots of each lane.
  ///
  /// `scratch` has room for 2·n vectors. Prefetches what is `ahead` meanwhile.
  ///
  /// - Returns: whether every pivot of every lane is above 0.
  @_alwaysEmitIntoClient
  public static func invertGeneral(
    _ group: UnsafeMutablePointer<Scalar>, n: Int, pivots: UnsafeMutablePointer<Scalar>,
    _ scratch: UnsafeMutablePointer<Scalar>, ahead: Lookahead<Scalar>
  ) -> Bool {
    var ahead = ahead
    ahead.begin(shares: n)
    let (places, marks, rowStride) = (scratch, scratch + n &* lanes, n &* lanes)
    for k in 0..<n {
      ahead.advance()
      let place = largest(UnsafePointer(group + k &* lanes), rowStride, from: k, to: n)
      store(place, to: places + k &* lanes)
      exchange(group, rowStride, lanes, n, k, place, marks)
      store(magnitude(load(UnsafePointer(group + k &* (n &+ 1) &* lanes))), to: pivots + k &* lanes)
      eliminate(group, n, k)
    }
    var k = n
    while k > 0 {
      k &-= 1
      exchange(group, lanes, rowStride, n, k, load(UnsafePointer(places + k &* lanes)), marks)
    }
    return areAboveZero(pivots, n)
  }

  /// The index of the largest magnitude in each lane, among elements from ..< to of a column. A NaN is never larger.
  @_alwaysEmitIntoClient @inline(__always)
  static func largest(_ column: UnsafePointer<Scalar>, _ stride: Int, from: Int, to: Int) -> Vector {
    var (best, place) = (magnitude(load(column + from &* stride)), broadcast(Scalar(from)))
    var i = from &+ 1
    while i < to {
      let candidate = magnitude(load(column + i &* stride))
      let lead = multiplyAdd(broadcast(-1), candidate, best)
      place = blend(place, broadcast(Scalar(i)), whereNegative: lead)
      best = blend(best, candidate, whereNegative: lead)
      i &+= 1
    }
    return place
  }

  /// Exchanges line k with line `place` ≥ k in each lane; lines of n elements, `step` apart.
  @_alwaysEmitIntoClient @inline(never)
  public static func exchange(
    _ group: UnsafeMutablePointer<Scalar>, _ lineStride: Int, _ step: Int, _ n: Int, _ k: Int,
    _ place: Vector,
    _ marks: UnsafeMutablePointer<Scalar>
  ) {
    // Below 0 in the lanes that mean line i.
    for i in k &+ 1..<max(n, k &+ 1) {
      let distance = magnitude(multiplyAdd(broadcast(-1), broadcast(Scalar(i)), place))
      store(multiplyAdd(broadcast(-0.5), one, distance), to: marks + i &* lanes)
    }
    for j in 0..<n {
      let top = group + (k &* lineStride &+ j &* step)
      let old = load(UnsafePointer(top))
      var new = old
      var i = k &+ 1
      while i < n {
        let (p, mark) = (group + (i &* lineStride &+ j &* step), load(UnsafePointer(marks + i &* lanes)))
        let x = load(UnsafePointer(p))
        new = blend(new, x, whereNegative: mark)
        store(blend(x, old, whereNegative: mark), to: p)
        i &+= 1
      }
      store(new, to: top)
    }
  }

  /// Step k of the elimination. The row of the pivot is written as that of A_k:/A_kk with 1/A_kk in its place, and
  /// column k of the other rows as 0, so that one sum makes all elements.
  @_alwaysEmitIntoClient @inline(__always)
  static func eliminate(_ group: UnsafeMutablePointer<Scalar>, _ n: Int, _ k: Int) {
    let row = group + k &* n &* lanes
    let reciprocal = divide(one, load(UnsafePointer(row + k &* lanes)))
    store(one, to: row + k &* lanes)
    for j in 0..<n {
      store(multiply(load(UnsafePointer(row + j &* lanes)), reciprocal), to: row + j &* lanes)
    }
    for i in 0..<n where i != k {
      let other = group + i &* n &* lanes
      let factor = negate(load(UnsafePointer(other + k &* lanes)))
      store(zero, to: other + k &* lanes)
      var j = 0
      while j < n {
        let x = other + j &* lanes
        store(
          multiplyAdd(factor, load(UnsafePointer(row + j &* lanes)), load(UnsafePointer(x))), to: x)
        j &+= 1
      }
    }
  }
}
