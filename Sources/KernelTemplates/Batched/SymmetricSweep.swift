// The inverses of L symmetric positive definite matrices at once, one in each lane.
//
// The sweep of a symmetric matrix on a set K of indices, P = (A_KK)⁻¹:
//
//     A_KK ← −P        A_iK ← A_iK·P        A_ij ← A_ij − A_iK·P·A_Kj        i, j ∉ K
//
// Swept on all indices, A becomes −A⁻¹. Sets of four indices are taken in order, then two and one. With A_KK = L·D·Lᵀ
// and G = A_:K·L⁻ᵀ, the subtracted product is G·D⁻¹·Gᵀ: what single indices in turn would subtract. The n numbers of all
// D are the pivots of A, all positive exactly if A is positive definite, and log det A = Σ log d. n³/2 multiply-adds,
// n divisions, no square roots.
//
// Only the lower triangle is read and written until the end. Lanes never mix: a matrix that is not positive definite
// makes numbers without meaning in its own lane, and its first pivot that is not above 0 tells.
// Error: ‖A·X − I‖ ≤ c·n²·u·κ(A), as for the inverse by Cholesky (Higham 2002, 14.4).
//
// A group is n × n vectors, (i, j) at (i·n + j)·L.

extension VectorUnit where Vector: SIMD, Vector.Scalar == Scalar, Scalar: BinaryFloatingPoint & SIMDScalar {
  /// Replaces the group by its inverses, both triangles; writes the n pivots of each lane.
  ///
  /// `scratch` has room for 4·(n + 1) vectors.
  ///
  /// - Returns: whether every pivot of every lane is above 0.
  @inlinable
  public static func invertSymmetric(
    _ group: UnsafeMutablePointer<Scalar>, n: Int, pivots: UnsafeMutablePointer<Scalar>,
    _ scratch: UnsafeMutablePointer<Scalar>
  ) -> Bool {
    var k = 0
    while k &+ 4 <= n {
      sweep(FourPivots<Self>.self, group, n, k, pivots, scratch)
      k &+= 4
    }
    if k &+ 2 <= n {
      sweep(TwoPivots<Self>.self, group, n, k, pivots, scratch)
      k &+= 2
    }
    if k < n { sweep(OnePivot<Self>.self, group, n, k, pivots, scratch) }
    negateAndMirror(group, n)
    return areAboveZero(pivots, n)
  }

  /// Whether all numbers of n vectors are above 0.
  @inlinable @inline(__always)
  static func areAboveZero(_ pivots: UnsafeMutablePointer<Scalar>, _ n: Int) -> Bool {
    var areAbove = true
    for l in 0..<n &* lanes { areAbove = areAbove && pivots[l] > 0 }
    return areAbove
  }

  /// The sweep on K = k ..< k + b.
  @inlinable @inline(never)
  public static func sweep<F: SmallFactor>(
    _ type: F.Type, _ group: UnsafeMutablePointer<Scalar>, _ n: Int, _ k: Int,
    _ pivots: UnsafeMutablePointer<Scalar>, _ columns: UnsafeMutablePointer<Scalar>
  ) where F.Unit == Self {
    let (after, rowStride) = (k &+ F.Row.count, n &* lanes)
    let square = group + (k &* n &+ k) &* lanes
    let factor = F(factoring: UnsafePointer(square), rowStride, pivots: pivots + k &* lanes)
    factor.storeNegativeInverse(to: square, rowStride, columns)
    for i in 0..<k {
      let w = eliminate(factor, group + (k &* n &+ i) &* lanes, rowStride, columns, i)
      update(w, group + i &* rowStride, UnsafePointer(columns), from: 0, to: i &+ 1)
    }
    for i in after..<n {
      let row = group + i &* rowStride
      let w = eliminate(factor, row + k &* lanes, lanes, columns, i)
      update(w, row, UnsafePointer(columns), from: 0, to: k)
      update(w, row, UnsafePointer(columns), from: after, to: i &+ 1)
    }
  }

  /// Keeps G = A_iK·L⁻ᵀ in `columns`, puts A_iK·P in its place and returns −G·D⁻¹.
  @inlinable @inline(__always)
  static func eliminate<F: SmallFactor>(
    _ factor: F, _ place: UnsafeMutablePointer<Scalar>, _ stride: Int,
    _ columns: UnsafeMutablePointer<Scalar>,
    _ i: Int
  ) -> F.Row where F.Unit == Self {
    let g = factor.forward(F.Row(loading: UnsafePointer(place), stride))
    g.store(to: columns + i &* F.Row.count &* lanes, lanes)
    let h = factor.scaled(g)
    factor.backward(h).store(to: place, stride)
    return h.negated
  }

  /// A_ij ← A_ij + w·G_j for a range of j.
  @inlinable @inline(__always)
  static func update<R: SmallRow>(
    _ w: R, _ row: UnsafeMutablePointer<Scalar>, _ columns: UnsafePointer<Scalar>, from: Int, to: Int
  ) where R.Unit == Self {
    var j = from
    while j < to {
      let x = row + j &* lanes
      store(w.adding(columns + j &* R.count &* lanes, to: load(UnsafePointer(x))), to: x)
      j &+= 1
    }
  }

  /// A ← −A, with the upper triangle made from the lower.
  @inlinable @inline(__always)
  static func negateAndMirror(_ group: UnsafeMutablePointer<Scalar>, _ n: Int) {
    for i in 0..<n {
      for j in 0...i {
        let x = group + (i &* n &+ j) &* lanes
        let negated = negate(load(UnsafePointer(x)))
        store(negated, to: x)
        store(negated, to: group + (j &* n &+ i) &* lanes)
      }
    }
  }
}
