// B packed on the way: the first tile that reads a panel of B where it lies leaves a copy of it for those that follow.
// Copying is two loads and two stores for each step of MR·2 multiply-adds, which hide them, where a copy made beforehand
// waits for the third-level cache.

/// A tile that keeps every row of B that it reads.
@frozen
public struct Packing<T: Tile>: SingleWay {
  public var tile: T
  /// Where the next row goes.
  @usableFromInline var target: UnsafeMutablePointer<T.Scalar>
  /// From a row of B to what is prefetched meanwhile. Rows are far apart, and no prefetcher follows a panel of them.
  @usableFromInline let ahead: Int

  @_alwaysEmitIntoClient @inline(__always)
  public init(_ call: UnsafePointer<TileCall<T.Scalar>>) {
    tile = T(of: call)
    target = call.pointee.packed.unsafelyUnwrapped
    ahead = call.pointee.packedAhead
  }

  @_alwaysEmitIntoClient @inline(__always)
  public mutating func accumulate<R: RowStep>(
    _ a: UnsafePointer<T.Scalar>, _ step: R, _ aBlock: Int, _ b: UnsafePointer<T.Scalar>, _ bBlock: Int,
    _ last: T.Unit.Mask
  ) {
    let row = T.S(loading: b, last)
    prefetchRow(T.Unit.self, b + ahead, vectors: T.S.vectors)
    row.store(to: target, last)
    target += T.S.vectors &* T.Unit.lanes
    tile.accumulate(a, step, row)
  }
}

/// Runs a call on a tile that packs.
@frozen
public struct PackingTile<Unit: VectorUnit>: TileRoutine {
  public typealias Scalar = Unit.Scalar
  @usableFromInline let call: UnsafeMutablePointer<TileCall<Scalar>>

  @_alwaysEmitIntoClient @inline(__always)
  init(_ call: UnsafeMutablePointer<TileCall<Scalar>>) { self.call = call }

  @_alwaysEmitIntoClient @inline(__always)
  public static var tallest: Int { Unit.tileRows }

  /// Fewer rows do not hide the copy. Two panels of rows that one tile cannot hold have as many.
  @_alwaysEmitIntoClient @inline(__always)
  static var shortest: Int { Unit.tileRows / 2 &+ 1 }

  @_alwaysEmitIntoClient @inline(__always)
  public func run<T: TriangularTile>(_ tile: T.Type) where T.Scalar == Scalar {
    if T.rows >= Self.shortest { tileKernel(Packing<T>.self, AnyStep(call.pointee.aRow), call) }
  }
}

extension BlockCall {
  /// The rows of B between the one that is read and the one that is prefetched: as many steps as memory takes to answer.
  @_alwaysEmitIntoClient @inline(__always)
  static var rowsAhead: Int { 16 }

  /// From a row of B in the panel from column j on to the one that is prefetched meanwhile: some rows below it, or, where
  /// panels are short, two panels further on, and behind the last panel those of the next rows.
  @_alwaysEmitIntoClient @inline(__always)
  func packedAhead(_ j: Int, width: Int) -> Int {
    if depth > BlockPlan.fewSteps { return Self.rowsAhead &* source.unsafelyUnwrapped.depthStride }
    let next = j &+ 2 &* width
    let end = c.columns / width &* width
    return next < end ? 2 &* width : 2 &* width &- end &+ depth &* source.unsafelyUnwrapped.depthStride
  }
}

extension VectorUnit where Vector: SIMD, Vector.Scalar == Scalar, Scalar: BinaryFloatingPoint & SIMDScalar {
  /// Packs the panel of B from column j on if it has yet to be packed, and computes the tile of the first rows on the way
  /// if that is a whole one.
  ///
  /// - Returns: the number of row panels that are done.
  @_alwaysEmitIntoClient @inline(__always)
  static func packAndMultiply(_ call: BlockCall<Scalar>, _ panels: Partition, _ j: Int, width: Int) -> Int {
    guard let source = call.source else { return 0 }
    let target = UnsafeMutablePointer(mutating: call.columns(j))
    let (rows, columns) = (panels.size(0), min(width, call.c.columns &- j))
    guard columns == tileColumns, rows >= PackingTile<Self>.shortest, call.c.columnStride == 1 else {
      packPanel(
        source.base + j, count: columns, laneStride: 1, depthStride: source.depthStride, depth: call.depth,
        to: target, stride: width)
      return 0
    }
    var tile = TileCall(
      depth: call.depth, a: call.rows(0, 0, stride: panelStride), aRow: call.a.laneStride,
      aDepth: call.a.depthStride, b: source.base + j, bDepth: source.depthStride, c: call.c.base + j,
      cRow: call.c.rowStride, alpha: call.alpha,
      beta: call.beta, lastLanes: lanes, fetchesC: true)
    tile.packed = target
    tile.packedAhead = call.packedAhead(j, width: width)
    tile.continues = call.continues
    tile.fetchesLate = call.fetchesLate(rows: rows, columns: columns)
    withUnsafeMutablePointer(to: &tile) { run(Whole2<Self>.self, rows: rows, PackingTile<Self>($0)) }
    if let epilogue = call.epilogue {
      applyEpilogue(epilogue, to: call.c.block(0, j, rows: rows, columns: columns), 0, j)
    }
    return 1
  }
}
