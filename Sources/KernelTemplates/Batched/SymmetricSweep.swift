// The inverses of L symmetric positive definite matrices at once, one in each lane.
//
// The sweep of a symmetric matrix on a set K of indices, P = (A_KK)⁻¹; S is the set of those before, all swept:
//
//     A_KK ← P        A_ij ← A_ij − A_iK·P·A_Kj,  A_iK ← −A_iK·P        i, j behind K
//                     A_ij ← A_ij + A_iK·P·A_Kj,  A_iK ←  A_iK·P        i, j ∈ S
//                     A_ij ← A_ij − A_iK·P·A_Kj                         i behind K, j ∈ S
//
// Swept on all indices, A becomes A⁻¹. Sets of four indices are taken in order, then two and one. With A_KK = L·D·Lᵀ
// and G = A_:K·L⁻ᵀ, the product is G·D⁻¹·Gᵀ: what single indices in turn would add. The n numbers of all D are the
// pivots of A, all positive exactly if A is positive definite, and log det A = Σ log d. n³/2 multiply-adds, n divisions,
// no square roots.
//
// Only the lower triangle is read and written. Lanes never mix: a matrix that is not positive definite makes numbers
// without meaning in its own lane, and its first pivot that is not above 0 tells.
// Error: ‖A·X − I‖ ≤ c·n²·u·κ(A), as for the inverse by Cholesky (Higham 2002, 14.4).
//
// A group is n × n vectors, (i, j) at (i·n + j)·L.

extension VectorUnit where Vector: SIMD, Vector.Scalar == Scalar, Scalar: BinaryFloatingPoint & SIMDScalar {
  /// Replaces the lower triangles of the group by those of its inverses; writes the n pivots of each lane.
  ///
  /// `scratch` has room for 4·(n + 1) vectors. Prefetches what is `ahead` meanwhile.
  ///
  /// - Returns: whether every pivot of every lane is above 0.
  @_alwaysEmitIntoClient
  public static func invertSymmetric(
    _ group: UnsafeMutablePointer<Scalar>, n: Int, pivots: UnsafeMutablePointer<Scalar>,
    _ scratch: UnsafeMutablePointer<Scalar>, ahead: Lookahead<Scalar>
  ) -> Bool {
    var ahead = ahead
    ahead.begin(shares: PivotBlock<Self>.steps(n))
    var k = 0
    while k &+ 4 <= n {
      sweep(FourPivots<Self>.self, PivotBlock(group, n &* lanes, k, scratch), n, pivots, &ahead)
      k &+= 4
    }
    if k &+ 2 <= n {
      sweep(TwoPivots<Self>.self, PivotBlock(group, n &* lanes, k, scratch), n, pivots, &ahead)
      k &+= 2
    }
    if k < n { sweep(OnePivot<Self>.self, PivotBlock(group, n &* lanes, k, scratch), n, pivots, &ahead) }
    return areAboveZero(pivots, n)
  }

  /// Whether all numbers of n vectors are above 0.
  @_alwaysEmitIntoClient @inline(__always)
  static func areAboveZero(_ pivots: UnsafeMutablePointer<Scalar>, _ n: Int) -> Bool {
    // 1 in the lanes that have a pivot that is not above 0, NaN included.
    var failures = zero
    for i in 0..<n {
      failures = select(failures, one, where: load(UnsafePointer(pivots + i &* lanes)), exceeds: zero)
    }
    var areAbove = true
    for l in 0..<lanes { areAbove = areAbove && failures[l] == 0 }
    return areAbove
  }

  /// The sweep on one block of pivots.
  @_alwaysEmitIntoClient @inline(never)
  public static func sweep<F: SmallFactor>(
    _ type: F.Type, _ block: PivotBlock<Self>, _ n: Int, _ pivots: UnsafeMutablePointer<Scalar>,
    _ ahead: inout Lookahead<Scalar>
  ) where F.Unit == Self {
    ahead.advance()
    let square = block.group + block.k &* (block.rowStride &+ lanes)
    let factor = F(factoring: UnsafePointer(square), block.rowStride, pivots: pivots + block.k &* lanes)
    factor.storeInverse(to: square, block.rowStride, block.columns)
    block.above(factor, &ahead)
    block.below(factor.opposite, n, isLower: false, &ahead)
  }
}
