// The micro-kernel. For a tile of h × w elements and one k block (or several in lockstep)
//
//     S ← Σₚ a(:, p) · b(p, :)            one FMA chain per element, in the order of p
//     C ← α·S + β·C                       fma(α, S, β·C); with β = 0, α·S and C is not read
//
// A chain may stop within a block, with its unrounded sum in C, and go on from there in a later call.
//
// Assumptions: the rows of C and of B are contiguous along the tile's width; A may have any strides. Nothing outside
// the h × w elements of C, the h rows of A and the w columns of B is touched. Several tiles of one shape, at equal distances,
// are one call.
// Error: |S − exact| ≤ k·u/(1 − k·u) · Σ|a||b| per block, u the unit roundoff.

/// Tiles of one shape below each other or side by side: how many, and how far one's operands lie from the next one's.
@frozen
public struct TileRun {
  public var count: Int
  public var a: Int
  public var b: Int
  public var c: Int

  /// One tile.
  @_alwaysEmitIntoClient @inline(__always)
  public init() { self.init(1, a: 0, b: 0, c: 0) }

  /// `count` ≥ 1 tiles, in steps of so many elements.
  @_alwaysEmitIntoClient @inline(__always)
  public init(_ count: Int, a: Int, b: Int, c: Int) {
    self.count = count
    self.a = a
    self.b = b
    self.c = c
  }
}

/// The operands of a tile, or of the first one of a run.
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
  /// β is 0 and α is 1.
  public var copies: Bool
  /// The sums begin with C instead of zeros; α is 1 and β is 0.
  public var continues = false
  /// How many lanes of the last vector exist.
  public var lastLanes: Int
  /// C may be far away and is prefetched.
  public var fetchesC: Bool
  /// Memory that the next tiles will read, and how much of it this call prefetches.
  public var ahead: Ahead<Scalar>
  public var run: TileRun
  /// C of the next tile is prefetched, because the time for this one is too short to prefetch its own.
  public var fetchesNext = false
  /// C is prefetched in the second half of the steps only.
  public var fetchesLate = false
  /// Where the rows of B are copied to: see PackingTile.swift.
  public var packed: UnsafeMutablePointer<Scalar>?
  /// Elements from a row of B that is copied to the one that is prefetched meanwhile.
  public var packedAhead = 0

  @_alwaysEmitIntoClient @inline(__always)
  public init(
    depth: Int, a: UnsafePointer<Scalar>, aRow: Int, aDepth: Int, b: UnsafePointer<Scalar>, bDepth: Int,
    c: UnsafeMutablePointer<Scalar>, cRow: Int, alpha: Scalar, beta: Scalar, lastLanes: Int,
    fetchesC: Bool = false, ahead: Ahead<Scalar> = Ahead(), run: TileRun = TileRun()
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
    copies = beta == 0 && alpha == 1
    self.lastLanes = lastLanes
    self.fetchesC = fetchesC
    self.ahead = ahead
    self.run = run
  }
}

extension TileCall {
  /// Row i of C.
  @_alwaysEmitIntoClient @inline(__always)
  func row(_ i: Int) -> UnsafePointer<Scalar> { UnsafePointer(c + i &* cRow) }

  /// Moves on to the next tile of the run.
  ///
  /// - Returns: whether there is one.
  @_alwaysEmitIntoClient @inline(__always)
  mutating func advance() -> Bool {
    run.count &-= 1
    a += run.a
    b += run.b
    c += run.c
    return run.count > 0
  }
}

extension VectorUnit {
  /// Prefetches the rows of C of the next tile of a run.
  @_alwaysEmitIntoClient @inline(never)
  static func fetchNext(_ call: UnsafePointer<TileCall<Scalar>>, rows: Int, columns: Int) {
    let line = 64 / MemoryLayout<Scalar>.stride
    for i in 0..<rows {
      let start = call.pointee.row(i) + call.pointee.run.c
      var j = 0
      while j < columns {
        prefetch(start + j)
        j &+= line
      }
    }
  }
}

/// Computes a run of tiles of C.
///
/// The loop stands outside of the kernel, where it would take registers from the k loop, and the call is passed by its
/// address: the compiler copies a value by loads that are wider than the stores which have just made it, and have to wait
/// for all of these.
@_alwaysEmitIntoClient @inline(__always)
func runKernel<W: Ways, R: RowStep>(
  _ ways: W.Type, _ step: R, _ call: UnsafeMutablePointer<TileCall<W.T.Scalar>>
) {
  repeat {
    if call.pointee.fetchesNext {
      W.T.Unit.fetchNext(call, rows: W.T.rows, columns: W.T.S.vectors &* W.T.Unit.lanes)
    }
    tileKernel(ways, step, call)
  } while call.pointee.advance()
}

/// Computes one tile of C. See the head of this file.
///
/// Inlinable, and so emitted here as well: the witness `runTile` of a unit, itself without types, names the form without
/// types, and a kernel module must not emit that.
@inlinable @inline(never)
public func tileKernel<W: Ways, R: RowStep>(
  _ ways: W.Type, _ step: R, _ call: UnsafeMutablePointer<TileCall<W.T.Scalar>>
) {
  typealias Unit = W.T.Unit
  let last = Unit.mask(first: call.pointee.lastLanes)
  var sums = W(call)
  var (a, b) = (UnsafePointer(call.pointee.a), UnsafePointer(call.pointee.b))
  let depth = call.pointee.depth
  // C will be needed at the end, thousands of cycles from now.
  let stretch = depth / (2 &* W.T.rows)
  if !call.pointee.fetchesC || stretch < 4 {
    if call.pointee.fetchesC {
      for row in 0..<W.T.rows { prefetchRow(Unit.self, call.pointee.row(row), vectors: W.T.S.vectors) }
      for _ in 0..<2 &* W.T.rows { call.pointee.ahead.advance() }
    }
    accumulate(&sums, step, &a, &b, call, steps: depth, last)
  } else {
    // Row by row: all rows at once would occupy every outstanding miss of the first-level cache, and A and B would wait
    // for memory behind them. In the second half of the steps, where what comes early would leave that cache again before
    // it is needed, because A and B pass through it meanwhile.
    var (row, left) = (call.pointee.fetchesLate ? 2 &- W.T.rows : 0, depth)
    while left > 0 {
      if row >= 0 && row < W.T.rows {
        prefetchRow(Unit.self, call.pointee.row(row), vectors: W.T.S.vectors)
      }
      row &+= 1
      call.pointee.ahead.advance()
      let steps = min(left, stretch)
      left &-= steps
      accumulate(&sums, step, &a, &b, call, steps: steps, last)
    }
  }
  let alpha = Unit.broadcast(call.pointee.alpha)
  if call.pointee.copies {
    // 1·S has the bits of S.
    sums.store(to: call.pointee.c, call.pointee.cRow, last)
  } else if call.pointee.overwrites {
    sums.overwrite(call.pointee.c, call.pointee.cRow, alpha, last)
  } else {
    sums.update(call.pointee.c, call.pointee.cRow, alpha, Unit.broadcast(call.pointee.beta), last)
  }
}

/// A stretch of the k loop.
@_alwaysEmitIntoClient @inline(__always)
func accumulate<W: Ways, R: RowStep>(
  _ sums: inout W, _ step: R, _ a: inout UnsafePointer<W.T.Scalar>, _ b: inout UnsafePointer<W.T.Scalar>,
  _ call: UnsafeMutablePointer<TileCall<W.T.Scalar>>, steps: Int, _ last: W.T.Unit.Mask
) {
  let (aDepth, bDepth) = (call.pointee.aDepth, call.pointee.bDepth)
  let (aBlock, bBlock) = (call.pointee.depth &* aDepth, call.pointee.depth &* bDepth)
  for _ in 0..<steps {
    sums.accumulate(a, step, aBlock, b, bBlock, last)
    a += aDepth
    b += bDepth
  }
}
