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
  /// C may be far away and is asked for early.
  public var fetchesC: Bool
  /// Memory that the next tiles will read, and how much of it this one asks for.
  public var ahead: Ahead<Scalar>

  @inlinable @inline(__always)
  public init(
    depth: Int, a: UnsafePointer<Scalar>, aRow: Int, aDepth: Int, b: UnsafePointer<Scalar>, bDepth: Int,
    c: UnsafeMutablePointer<Scalar>, cRow: Int, alpha: Scalar, beta: Scalar, lastLanes: Int,
    fetchesC: Bool = false, ahead: Ahead<Scalar> = Ahead()
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
    self.fetchesC = fetchesC
    self.ahead = ahead
  }
}

/// Computes one tile of C. See the head of this file.
@inlinable @inline(never)
public func tileKernel<W: Ways, R: RowStep>(_ ways: W.Type, _ step: R, _ call: TileCall<W.T.Scalar>) {
  typealias Unit = W.T.Unit
  let last = Unit.mask(first: call.lastLanes)
  var sums = W()
  var a = call.a
  var b = call.b
  let aBlock = call.depth &* call.aDepth
  let bBlock = call.depth &* call.bDepth
  // C will be needed at the end: ask for it row by row during the first half of the steps. All rows at once would
  // occupy every outstanding miss of the first-level cache, and A and B would wait for memory behind them.
  var ahead = call.ahead
  var row = call.fetchesC ? 0 : W.T.rows
  var stretch = call.depth / (2 &* W.T.rows)
  let rowsAtOnce = stretch < 4 ? W.T.rows : 1
  if stretch < 4 || !call.fetchesC { stretch = call.depth }
  var left = call.depth
  while left > 0 {
    for _ in 0..<rowsAtOnce where row < W.T.rows {
      prefetchRow(Unit.self, UnsafePointer(call.c + row &* call.cRow), vectors: W.T.S.vectors)
      row &+= 1
    }
    ahead.advance()
    let steps = min(left, stretch)
    left &-= steps
    for _ in 0..<steps {
      sums.accumulate(a, step, aBlock, b, bBlock, last)
      a += call.aDepth
      b += call.bDepth
    }
  }
  let alpha = Unit.broadcast(call.alpha)
  if call.overwrites {
    sums.overwrite(call.c, call.cRow, alpha, last)
  } else {
    sums.update(call.c, call.cRow, alpha, Unit.broadcast(call.beta), last)
  }
}
