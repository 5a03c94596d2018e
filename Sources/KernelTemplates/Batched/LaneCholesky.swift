// The Cholesky factors of L symmetric positive definite matrices at once, one in each lane, and solutions by them.
//
//     A = L·Lᵀ                     four columns at a time: with A_KK = L'·D·L'ᵀ and G = A_iK·L'⁻ᵀ,
//                                  A_ij ← A_ij − G_i·D⁻¹·G_jᵀ for i ≥ j > K, and L_iK = G_i·D⁻¹ᐟ²
//     L·Lᵀ·X = B                   row by row forward, then backward
//
// The n numbers of all D are the squares of L's diagonal: they are written as the pivots, and all are above 0 exactly if
// the factor exists. Lanes never mix. n³/6 multiply-adds for a factor, n² for a right-hand side.
// Error: ‖A − L·Lᵀ‖ ≤ c·n·u·‖A‖; a solution has a backward error of c·n·u (Higham 2002, theorems 10.3 and 10.4).

extension VectorUnit where Vector: SIMD, Vector.Scalar == Scalar, Scalar: BinaryFloatingPoint & SIMDScalar {
  /// Replaces the lower triangles of the group by L and the upper ones by zeros; writes the n pivots of each lane.
  ///
  /// `scratch` has room for 4·(n + 1) vectors. Prefetches what is `ahead` meanwhile.
  ///
  /// - Returns: whether every pivot of every lane is above 0.
  @_alwaysEmitIntoClient
  public static func factorCholesky(
    _ group: UnsafeMutablePointer<Scalar>, n: Int, pivots: UnsafeMutablePointer<Scalar>,
    _ scratch: UnsafeMutablePointer<Scalar>, ahead: Lookahead<Scalar>
  ) -> Bool {
    var ahead = ahead
    ahead.begin(shares: max(1, PivotBlock<Self>.steps(n) / 2))
    var k = 0
    while k &+ 4 <= n {
      eliminateBelow(FourPivots<Self>.self, PivotBlock(group, n &* lanes, k, scratch), n, pivots, &ahead)
      k &+= 4
    }
    if k &+ 2 <= n {
      eliminateBelow(TwoPivots<Self>.self, PivotBlock(group, n &* lanes, k, scratch), n, pivots, &ahead)
      k &+= 2
    }
    if k < n {
      eliminateBelow(OnePivot<Self>.self, PivotBlock(group, n &* lanes, k, scratch), n, pivots, &ahead)
    }
    scaleColumns(group, n, UnsafePointer(pivots), scratch)
    return areAboveZero(pivots, n)
  }

  /// The block's columns of the unit factor, negated, and what they leave of the triangle behind them.
  @_alwaysEmitIntoClient @inline(never)
  public static func eliminateBelow<F: SmallFactor>(
    _ type: F.Type, _ block: PivotBlock<Self>, _ n: Int, _ pivots: UnsafeMutablePointer<Scalar>,
    _ ahead: inout Lookahead<Scalar>
  ) where F.Unit == Self {
    ahead.advance()
    let square = block.group + block.k &* (block.rowStride &+ lanes)
    let factor = F(factoring: UnsafePointer(square), block.rowStride, pivots: pivots + block.k &* lanes)
    factor.storeNegativeLower(to: square, block.rowStride)
    block.below(factor.opposite, n, isLower: true, &ahead)
  }

  /// L ← −(−L)·D¹ᐟ² with zeros above the diagonal; row by row, because columns may meet in the same cache sets.
  @_alwaysEmitIntoClient @inline(__always)
  static func scaleColumns(
    _ group: UnsafeMutablePointer<Scalar>, _ n: Int, _ pivots: UnsafePointer<Scalar>,
    _ negativeRoots: UnsafeMutablePointer<Scalar>
  ) {
    for j in 0..<n {
      let root = squareRoot(load(pivots + j &* lanes))
      store(negate(root), to: negativeRoots + j &* lanes)
      store(root, to: group + j &* (n &+ 1) &* lanes)
    }
    for i in 0..<n {
      let row = group + i &* n &* lanes
      for j in 0..<i {
        let x = row + j &* lanes
        store(
          multiply(load(UnsafePointer(x)), load(UnsafePointer(negativeRoots + j &* lanes))), to: x)
      }
      var j = i &+ 1
      while j < n {
        store(zero, to: row + j &* lanes)
        j &+= 1
      }
    }
  }

  /// X ← L⁻ᵀ·L⁻¹·X for n × `columns` right-hand sides. Only the lower triangles of the factors are read.
  ///
  /// `scratch` has room for n vectors.
  @_alwaysEmitIntoClient
  public static func solveCholesky(
    _ factor: UnsafePointer<Scalar>, n: Int, _ right: UnsafeMutablePointer<Scalar>, columns: Int,
    _ scratch: UnsafeMutablePointer<Scalar>
  ) {
    for i in 0..<n {
      store(divide(broadcast(-1), load(factor + i &* (n &+ 1) &* lanes)), to: scratch + i &* lanes)
    }
    let (reciprocals, stride) = (UnsafePointer(scratch), columns &* lanes)
    var c = 0
    while c &+ 4 <= columns {
      substitute(
        OneMore<OneMore<OneMore<OneNumber<Self>>>>.self, factor, n, right + c &* lanes, stride, reciprocals)
      c &+= 4
    }
    while c < columns {
      substitute(OneNumber<Self>.self, factor, n, right + c &* lanes, stride, reciprocals)
      c &+= 1
    }
  }

  /// Both substitutions for a few columns. The first leaves −L⁻¹·B, so that products are added in both:
  /// x_i ← −(x_i + Σ l·x)/l_ii.
  @_alwaysEmitIntoClient @inline(never)
  public static func substitute<R: SmallRow>(
    _ type: R.Type, _ factor: UnsafePointer<Scalar>, _ n: Int, _ right: UnsafeMutablePointer<Scalar>,
    _ stride: Int, _ negativeReciprocals: UnsafePointer<Scalar>
  ) where R.Unit == Self {
    var i = 0
    while i < n {
      substituteRow(R.self, i, factor + i &* n &* lanes, lanes, 0, i, right, stride, negativeReciprocals)
      i &+= 1
    }
    while i > 0 {
      i &-= 1
      substituteRow(R.self, i, factor + i &* lanes, n &* lanes, i &+ 1, n, right, stride, negativeReciprocals)
    }
  }

  /// Row i, which needs the rows from ..< to, with coefficients `step` elements apart.
  @_alwaysEmitIntoClient @inline(__always)
  static func substituteRow<R: SmallRow>(
    _ type: R.Type, _ i: Int, _ coefficients: UnsafePointer<Scalar>, _ step: Int, _ from: Int, _ to: Int,
    _ right: UnsafeMutablePointer<Scalar>, _ stride: Int, _ negativeReciprocals: UnsafePointer<Scalar>
  ) where R.Unit == Self {
    var x = R(loading: UnsafePointer(right + i &* stride), lanes)
    var k = from
    while k < to {
      x = x.adding(
        load(coefficients + k &* step), times: R(loading: UnsafePointer(right + k &* stride), lanes))
      k &+= 1
    }
    x.multiplied(by: load(negativeReciprocals + i &* lanes)).store(to: right + i &* stride, lanes)
  }
}
