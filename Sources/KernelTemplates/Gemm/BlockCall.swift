// What the drivers and the macro-kernel tell each other: two operands, a plan, an epilogue.

/// An operand of the macro-kernel, where it lies or in packed panels.
@frozen
public struct BlockOperand<Scalar> {
  public var base: UnsafePointer<Scalar>
  /// Elements from a row of A, or a column of B, to the next one: 1 within a packed panel, and 1 for B.
  public var laneStride: Int
  /// Elements from a step of k to the next one.
  public var depthStride: Int
  /// In panels: of A as many rows as the tiles have, of B two vectors of columns, three at the end of an odd number.
  public var isPacked: Bool

  @_alwaysEmitIntoClient @inline(__always)
  public init(
    _ base: UnsafePointer<Scalar>, laneStride: Int, depthStride: Int, isPacked: Bool = false
  ) {
    self.base = base
    self.laneStride = laneStride
    self.depthStride = depthStride
    self.isPacked = isPacked
  }
}

/// How the macro-kernel goes about a block: decided once, by the driver that knows the caches and the whole product.
@frozen
public struct BlockPlan: Sendable {
  /// The panels of A are the outer loop, because B stays in the first-level cache, or C is most of the memory.
  public var isRowMajor: Bool
  /// Tiles would be mostly their stores, so that rows of C are written in long stretches: see FewSteps.swift.
  public var sweeps: Bool
  /// Every packed panel of B has a place of its own; else each takes the place of the one before.
  public var keepsB: Bool
  /// B, not packed, lies in memory, in rows so long that no hardware prefetcher follows a panel.
  public var prefetchesB: Bool
  /// B comes from far away, and all rows that one tile can hold read it together.
  public var readsBOnce: Bool
  /// Bytes of A and B that may pass through the first-level cache before what was prefetched earlier has left it.
  public var residentBytes: Int

  @_alwaysEmitIntoClient @inline(__always)
  public init(
    isRowMajor: Bool = false, sweeps: Bool = false, keepsB: Bool = true, prefetchesB: Bool = false,
    readsBOnce: Bool = false, residentBytes: Int
  ) {
    self.readsBOnce = readsBOnce
    self.isRowMajor = isRowMajor
    self.sweeps = sweeps
    self.keepsB = keepsB
    self.prefetchesB = prefetchesB
    self.residentBytes = residentBytes
  }

  /// Steps of k up to which C is most of the memory that is visited.
  @_alwaysEmitIntoClient @inline(__always)
  public static var fewSteps: Int { 64 }

  /// Steps of k up to which a tile is mostly its store.
  @_alwaysEmitIntoClient @inline(__always)
  public static var fewestSteps: Int { 8 }
}

/// A call of the macro-kernel: C ← α·A·B + β·C for one k block.
@frozen
public struct BlockCall<Scalar> {
  public var a: BlockOperand<Scalar>
  public var b: BlockOperand<Scalar>
  public var c: MutableMatrixPointer<Scalar>
  public var depth: Int
  public var alpha: Scalar
  public var beta: Scalar
  /// C holds the sums of the steps of k before this block's, which these go on with; α is 1 and β is 0.
  public var continues = false
  /// A triangle of a single row comes with packed B: tiles of eight vectors do not begin at a diagonal.
  public var region: Region
  /// Applied after this block, which is then the last one.
  public var epilogue: Epilogue<Scalar>?
  public var plan: BlockPlan
  /// Room for one tile: ``TileShape/tileScratch`` elements.
  public var scratch: UnsafeMutablePointer<Scalar>
  /// Where B lies, if its panels have yet to be packed, each by the first tile that reads it: see PackingTile.swift.
  public var source: BlockOperand<Scalar>?
  /// The next block of A, of as many rows as this one, which will be packed when this one has been multiplied.
  public var nextA: BlockOperand<Scalar>?

  @_alwaysEmitIntoClient @inline(__always)
  public init(
    a: BlockOperand<Scalar>, b: BlockOperand<Scalar>, c: MutableMatrixPointer<Scalar>, depth: Int,
    alpha: Scalar, beta: Scalar, region: Region, epilogue: Epilogue<Scalar>? = nil, plan: BlockPlan,
    scratch: UnsafeMutablePointer<Scalar>
  ) {
    self.a = a
    self.b = b
    self.c = c
    self.depth = depth
    self.alpha = alpha
    self.beta = beta
    self.region = region
    self.epilogue = epilogue
    self.plan = plan
    self.scratch = scratch
  }
}

extension BlockCall {
  /// Tiles that one call computes. An epilogue finds them in the first-level cache.
  @_alwaysEmitIntoClient @inline(__always)
  var longestRun: Int { c.columnStride != 1 ? 1 : epilogue == nil ? Int.max : 4 }

  /// A row panel of A, whose first row is i.
  @_alwaysEmitIntoClient @inline(__always)
  func rows(_ panel: Int, _ i: Int, stride: Int) -> UnsafePointer<Scalar> {
    a.base + (a.isPacked ? panel &* depth &* stride : i &* a.laneStride)
  }

  /// B from column j on, where a panel begins.
  @_alwaysEmitIntoClient @inline(__always)
  func columns(_ j: Int) -> UnsafePointer<Scalar> {
    b.base + (b.isPacked ? (plan.keepsB ? j &* depth : 0) : j)
  }

  /// C is prefetched in the second half of the steps of a tile of so many rows and columns.
  @_alwaysEmitIntoClient @inline(__always)
  func fetchesLate(rows: Int, columns: Int) -> Bool {
    depth &* (rows &+ columns) &* MemoryLayout<Scalar>.stride > plan.residentBytes
  }
}

extension BlockCall {
  /// What is wanted next is prefetched meanwhile, a share with every tile: the panel of B from column j on, or, after the
  /// last one, the next block of A.
  ///
  /// - Parameter count: the tiles of one run, from panel `panel` of A down.
  @_alwaysEmitIntoClient @inline(__always)
  func ahead(of j: Int, width: Int, _ panels: Partition, _ panel: Int, count: Int) -> Ahead<Scalar> {
    let tiles = 2 &* panels.size(panel) &* count
    if j >= c.columns {
      guard let nextA else { return Ahead() }
      let rows = panels.size(panel) &* count
      return Ahead(
        nextA.base + panels.start(panel) &* nextA.laneStride, rows: rows, columns: depth,
        rowStride: nextA.laneStride, shares: tiles)
    }
    if let source {
      // The first panel of A packs this panel of B meanwhile, and the next one as soon as the last has been multiplied.
      let share = depth / max(1, panels.parts &- 1)
      return Ahead(
        source.base + (j &+ max(0, panel &- 1) &* share &* source.depthStride), rows: count &* share,
        columns: width, rowStride: source.depthStride, shares: tiles)
    }
    let share = depth / panels.parts
    if b.isPacked {
      let start = columns(j) + panel &* share &* width
      return Ahead(start, rows: 1, columns: count &* share &* width, rowStride: 0, shares: tiles)
    }
    if !plan.prefetchesB { return Ahead() }
    return Ahead(
      columns(j) + panel &* share &* b.depthStride, rows: count &* share, columns: width,
      rowStride: b.depthStride, shares: tiles)
  }
}
