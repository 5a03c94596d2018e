// The micro-kernel. For a tile of h × w elements and one k block (or several in lockstep)
//
//     S ← Σₚ a(:, p) · b(p, :)            one FMA chain per element, in the order of p
//     C ← α·S + β·C                       fma(α, S, β·C); with β = 0, α·S and C is not read
//
// Assumptions: the rows of C and of B are contiguous along the tile's width; A may have any strides. Nothing outside
// the h × w elements of C, the h rows of A and the w columns of B is touched.
// Error: |S − exact| ≤ k·u/(1 − k·u) · Σ|a||b| per block, u the unit roundoff.

/// The operands of one tile.
@frozen
public struct TileCall<Scalar> {
  /// Steps of k in a block.
  public var depth: Int
  /// Element (i, p) of A lies at `a[i * aRow + p * aDepth]`.
  public var a: UnsafePointer<Scalar>
  public var aRow: Int
  public var aDepth: Int
  /// Row p of B starts at `b[p * bDepth]`.
  public var b: UnsafePointer<Scalar>
  public var bDepth: Int
  /// Row i of C starts at `c[i * cRow]`.
  public var c: UnsafeMutablePointer<Scalar>
  public var cRow: Int
  public var alpha: Scalar
  public var beta: Scalar
  /// β is 0.
  public var overwrites: Bool
  /// How many lanes of the last vector exist.
  public var lastLanes: Int

  @inlinable @inline(__always)
  public init(
    depth: Int, a: UnsafePointer<Scalar>, aRow: Int, aDepth: Int, b: UnsafePointer<Scalar>, bDepth: Int,
    c: UnsafeMutablePointer<Scalar>, cRow: Int, alpha: Scalar, beta: Scalar, lastLanes: Int
  ) where Scalar: FloatingPoint {
    self.depth = depth
    self.a = a
    self.aRow = aRow
    self.aDepth = aDepth
    self.b = b
    self.bDepth = bDepth
    self.c = c
    self.cRow = cRow
    self.alpha = alpha
    self.beta = beta
    overwrites = beta == 0
    self.lastLanes = lastLanes
  }
}

/// Computes one tile of C. See the head of this file.
@inlinable @inline(never)
public func tileKernel<W: Ways, R: RowStep>(_ ways: W.Type, _ step: R, _ call: TileCall<W.T.Scalar>) {
  typealias Unit = W.T.Unit
  let last = Unit.mask(first: call.lastLanes)
  // C is needed thousands of cycles later: ask for it now, every vector of it, and the last one to its end.
  for i in 0..<W.T.rows {
    let row = UnsafePointer(call.c + i &* call.cRow)
    for v in 0..<W.T.S.vectors { Unit.prefetch(row + v &* Unit.lanes) }
    Unit.prefetch(row + (W.T.S.vectors &* Unit.lanes &- 1))
  }
  var sums = W()
  var a = call.a
  var b = call.b
  let aBlock = call.depth &* call.aDepth
  let bBlock = call.depth &* call.bDepth
  for _ in 0..<call.depth {
    sums.accumulate(a, step, aBlock, b, bBlock, last)
    a += call.aDepth
    b += call.bDepth
  }
  let alpha = Unit.broadcast(call.alpha)
  if call.overwrites {
    sums.overwrite(call.c, call.cRow, alpha, last)
  } else {
    sums.update(call.c, call.cRow, alpha, Unit.broadcast(call.beta), last)
  }
}
