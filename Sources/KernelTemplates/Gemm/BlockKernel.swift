// The macro-kernel: all tiles of an m × n part of C for one k block, C ← α·A·B + β·C.
//
// Column panels are the outer loop: one panel of B (k × NR) stays near while the panels of A stream past it from the
// second-level cache. If B fits the first-level cache whole, or if k is so short that C is most of the memory, the
// loops are turned around: A and C are visited in the order in which they lie. Either operand may be packed (see Packing.swift) or read where it lies:
//   A direct: any strides; packed: panels of the row partition with limit MR, `panelStride` apart per k step.
//   B direct: rows contiguous; packed: panels of NR columns, the last one of three vectors if their number is odd.
// The tiles may be restricted to one triangle of C, and C may have any strides.

/// The vectors of the next panel if so many columns are left: two, and an odd number ends in three.
@_alwaysEmitIntoClient @inline(__always)
func panelVectors(_ columns: Int, lanes: Int) -> Int {
  columns > 2 &* lanes && columns <= 3 &* lanes ? 3 : 2
}

extension VectorUnit where Vector: SIMD, Vector.Scalar == Scalar, Scalar: BinaryFloatingPoint & SIMDScalar {
  /// How many vectors wide the next tile is if so many columns are left: two, and an odd number ends in three, because
  /// a tile of one vector broadcasts an element for every FMA. Short tiles are made wide, so that enough FMAs are in
  /// flight.
  @_alwaysEmitIntoClient @inline(__always)
  public static func tileVectors(rows: Int, columns: Int, bPacked: Bool) -> Int {
    let vectors = panelVectors(columns, lanes: lanes)
    if vectors == 3 || bPacked || rows > wideTileRows { return vectors }
    if rows == 1 && columns >= 8 &* lanes { return 8 }
    return columns > 4 &* lanes && columns <= 5 &* lanes ? 3 : columns >= 4 &* lanes ? 4 : 2
  }

  /// Steps of k up to which C is not prefetched. Wide tiles leave long rows of C to the hardware's prefetchers.
  @_alwaysEmitIntoClient @inline(__always)
  static var stepsWithoutFetch: Int { registers < 32 ? 16 : 64 }

  /// Rows of a tile of four vectors.
  @_alwaysEmitIntoClient @inline(__always)
  static var wideTileRows: Int { registers < 32 ? 2 : 6 }

  /// See the head of this file. What runs for each tile takes the call by its address: as a value it would be copied each
  /// time, and the loads from the copy wait for its stores.
  @_alwaysEmitIntoClient
  public static func multiplyBlock(_ whole: BlockCall<Scalar>) {
    var call = whole
    let isPacked = call.a.isPacked || call.b.isPacked
    if case .all = call.region, !isPacked, !call.continues { call.c.columns &-= multiplyRest(call) }
    let isRowMajor = call.plan.isRowMajor && call.c.columns > 2 &* lanes
    let isWide =
      isRowMajor && !isPacked && call.c.columns >= 4 &* lanes && registers >= 32
      && (call.c.rows <= wideTileRows || !call.plan.readsBOnce)
    // With very few steps a tile is mostly its store, and two long rows are written faster than many short ones.
    let sweeps = call.plan.sweeps && call.c.columns >= 4 &* lanes
    let panels = Partition(call.c.rows, limit: sweeps ? 2 : isWide ? wideTileRows : tileRows)
    if isRowMajor {
      for panel in 0..<panels.parts {
        var j = sweeps ? sweepTiles(call, panels, panel) : 0
        while j < call.c.columns { j &+= multiplyAlong(&call, panels, panel, j) }
      }
    } else {
      var j = 0
      while j < call.c.columns {
        let width =
          tileVectors(rows: panels.size(0), columns: call.c.columns &- j, bPacked: call.b.isPacked) &* lanes
        var panel = packAndMultiply(call, panels, j, width: width)
        while panel < panels.parts { panel &+= multiplyDown(&call, panels, panel, j, width: width) }
        j &+= width
      }
    }
  }

  /// The last columns, where they are fewer than a vector holds by far.
  @_alwaysEmitIntoClient @inline(__always)
  static func multiplyRest(_ call: BlockCall<Scalar>) -> Int {
    let rest = multiplyRest(
      call.c,
      TileCall(
        depth: call.depth, a: call.a.base, aRow: call.a.laneStride, aDepth: call.a.depthStride,
        b: call.b.base, bDepth: call.b.depthStride,
        c: call.c.base, cRow: call.c.rowStride, alpha: call.alpha, beta: call.beta, lastLanes: lanes))
    if rest > 0, let epilogue = call.epilogue {
      let j = call.c.columns &- rest
      applyEpilogue(epilogue, to: call.c.block(0, j, rows: call.c.rows, columns: rest), 0, j)
    }
    return rest
  }

  /// As many tiles of a row panel as are four vectors wide.
  ///
  /// - Returns: the columns that are done.
  @_alwaysEmitIntoClient @inline(__always)
  static func sweepTiles(_ call: BlockCall<Scalar>, _ panels: Partition, _ panel: Int) -> Int {
    let i = panels.start(panel)
    let tile = TileCall(
      depth: call.depth, a: call.a.base + i &* call.a.laneStride, aRow: call.a.laneStride,
      aDepth: call.a.depthStride, b: call.b.base, bDepth: call.b.depthStride,
      c: call.c.base + i &* call.c.rowStride, cRow: call.c.rowStride, alpha: call.alpha,
      beta: call.beta, lastLanes: lanes)
    if panels.size(panel) == 1 {
      return sweepRows(Row<Whole4<Self>>.self, UnitStep(), tile, columns: call.c.columns)
    }
    return sweepRows(Rows2<Whole4<Self>>.self, AnyStep(call.a.laneStride), tile, columns: call.c.columns)
  }

  /// Tiles of a row panel from column j on, side by side, as many as are alike.
  ///
  /// - Returns: their columns.
  @_alwaysEmitIntoClient @inline(__always)
  static func multiplyAlong(
    _ call: UnsafePointer<BlockCall<Scalar>>, _ panels: Partition, _ panel: Int, _ j: Int
  ) -> Int {
    let (i, rows, left) = (panels.start(panel), panels.size(panel), call.pointee.c.columns &- j)
    let width = tileVectors(rows: panels.size(0), columns: left, bPacked: call.pointee.b.isPacked) &* lanes
    var run = TileRun(1, a: 0, b: call.pointee.b.isPacked ? width &* call.pointee.depth : width, c: width)
    if case .all = call.pointee.region {
      while run.count < call.pointee.longestRun {
        let rest = left &- run.count &* width
        if rest < width
          || tileVectors(rows: panels.size(0), columns: rest, bPacked: call.pointee.b.isPacked) &* lanes
            != width
        {
          break
        }
        run.count &+= 1
      }
    }
    let columns = min(width, left)
    multiplyTiles(
      call, run, a: call.pointee.rows(panel, i, stride: panelStride), b: call.pointee.columns(j), i, j,
      rows: rows,
      columns: columns,
      Ahead())
    return run.count &* columns
  }

  /// Tiles of `width` columns from j on, from a row panel down, as many as are alike.
  ///
  /// - Returns: the number of panels.
  @_alwaysEmitIntoClient @inline(__always)
  static func multiplyDown(
    _ call: UnsafePointer<BlockCall<Scalar>>, _ panels: Partition, _ panel: Int, _ j: Int, width: Int
  ) -> Int {
    let (i, rows, left) = (panels.start(panel), panels.size(panel), call.pointee.c.columns &- j)
    let columns = min(width, left)
    let alike = panels.alike(from: panel)
    let whole = call.pointee.region.wholeRows(i, j, columns: columns)
    let run = TileRun(
      max(1, min(whole >= alike &* rows ? alike : whole / rows, call.pointee.longestRun)),
      a: call.pointee.a.isPacked ? call.pointee.depth &* panelStride : rows &* call.pointee.a.laneStride,
      b: 0,
      c: rows &* call.pointee.c.rowStride)
    let b = call.pointee.columns(j)
    let ahead =
      call.pointee.depth > stepsWithoutFetch
      ? call.pointee.ahead(of: j &+ width, width: width, panels, panel, count: run.count) : Ahead()
    multiplyTiles(
      call, run, a: call.pointee.rows(panel, i, stride: panelStride), b: b, i, j, rows: rows,
      columns: columns, ahead)
    return run.count
  }

  /// Tiles of the block from (i, j) on: directly into C where possible, else one by way of scratch.
  @_alwaysEmitIntoClient @inline(__always)
  public static func multiplyTiles(
    _ call: UnsafePointer<BlockCall<Scalar>>, _ run: TileRun = TileRun(), a: UnsafePointer<Scalar>,
    b: UnsafePointer<Scalar>,
    _ i: Int, _ j: Int, rows: Int, columns: Int, _ ahead: Ahead<Scalar>
  ) {
    let overlap = call.pointee.region.overlap(i, j, rows: rows, columns: columns)
    if overlap == .none { return }
    let direct = overlap == .all && call.pointee.c.columnStride == 1
    // At a diagonal, vectors beyond it are left out.
    let first = call.pointee.region.columns(ofRow: i, from: j, count: columns).start / lanes &* lanes
    let end = call.pointee.region.columns(ofRow: i &+ rows &- 1, from: j, count: columns).end
    let vectors = (end &- first &+ lanes &- 1) / lanes
    let c = call.pointee.c.block(i, j &+ first, rows: rows, columns: end &- first)
    let panelWidth = (columns &+ lanes &- 1) / lanes &* lanes
    var tile = TileCall(
      depth: call.pointee.depth, a: a, aRow: call.pointee.a.laneStride, aDepth: call.pointee.a.depthStride,
      b: b + first,
      bDepth: call.pointee.b.isPacked
        ? max(call.pointee.b.depthStride, panelWidth) : call.pointee.b.depthStride,
      c: direct ? c.base : call.pointee.scratch, cRow: direct ? c.rowStride : vectors &* lanes,
      alpha: direct ? call.pointee.alpha : 1, beta: direct ? call.pointee.beta : 0,
      lastLanes: c.columns &- (vectors &- 1) &* lanes, fetchesC: call.pointee.depth > stepsWithoutFetch,
      ahead: ahead, run: run)
    tile.continues = call.pointee.continues
    tile.fetchesLate = call.pointee.fetchesLate(rows: rows, columns: vectors &* lanes)
    tile.fetchesNext = run.count > 1 && call.pointee.depth <= stepsWithoutFetch && run.b == 0
    runTile(vectors: vectors, rows: rows, &tile)
    if !direct {
      mergeTile(
        call.pointee.scratch, vectors &* lanes, c, call.pointee.alpha, call.pointee.beta, call.pointee.region,
        i, j &+ first)
    }
    guard let epilogue = call.pointee.epilogue else { return }
    for t in 0..<run.count {
      let (row, column) = run.b == 0 ? (t &* rows, 0) : (0, t &* columns)
      let c = call.pointee.c.block(i &+ row, j &+ first &+ column, rows: rows, columns: end &- first)
      applyEpilogue(epilogue, to: c, i &+ row, j &+ first &+ column)
    }
  }

  /// Chooses the strip for a width, and the kernel for the rows of A.
  @_alwaysEmitIntoClient @inline(__always)
  public static func runTile(vectors: Int, rows: Int, _ call: UnsafeMutablePointer<TileCall<Scalar>>) {
    let step = AnyStep(call.pointee.aRow)
    let full = call.pointee.lastLanes == lanes
    let adjacent = call.pointee.aRow == 1 && rows >= UnitStep.fewestRows(tallest: tileRows)
    switch vectors {
    case 1 where full && !masksAreFree: runTile(Whole<Self>.self, rows: rows, step, call)
    case 1 where adjacent && masksAreFree: runTile(Part<Self>.self, rows: rows, UnitStep(), call)
    case 1: runTile(Part<Self>.self, rows: rows, step, call)
    case 2 where full && adjacent: runTile(Whole2<Self>.self, rows: rows, UnitStep(), call)
    case 2 where full: runTile(Whole2<Self>.self, rows: rows, step, call)
    case 2 where adjacent && masksAreFree: runTile(Part2<Self>.self, rows: rows, UnitStep(), call)
    case 2: runTile(Part2<Self>.self, rows: rows, step, call)
    case 3: runHalves(rows: rows, step, call)
    case 4: runTile(Whole4<Self>.self, rows: rows, step, call)
    default: Row<Whole8<Self>>.select(rows: rows, step, call)
    }
  }

  /// Three vectors: half as many rows fill the registers.
  @_alwaysEmitIntoClient @inline(__always)
  static func runHalves(rows: Int, _ step: AnyStep, _ call: UnsafeMutablePointer<TileCall<Scalar>>) {
    let upper = rows > tileRows / 2 ? (rows &+ 1) / 2 : rows
    // The run moves the call on. What the lower half begins with is kept number by number: see runKernel.
    let (a, b, c, count) = (call.pointee.a, call.pointee.b, call.pointee.c, call.pointee.run.count)
    runTile(Part3<Self>.self, rows: upper, step, call)
    if upper == rows { return }
    call.pointee.a = a + step.times(upper)
    call.pointee.b = b
    call.pointee.c = c + upper &* call.pointee.cRow
    call.pointee.run.count = count
    runTile(Part3<Self>.self, rows: rows &- upper, step, call)
  }
}
