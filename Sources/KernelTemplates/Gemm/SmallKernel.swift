// Products of a few dozen nanoseconds: all operands fit the first-level cache, and the tiles are all there is to do.

extension VectorUnit where Vector: SIMD, Vector.Scalar == Scalar, Scalar: BinaryFloatingPoint & SIMDScalar {
  /// A product of one k block whose operands are near: no plan, no epilogue. B is packed if its rows are not contiguous.
  ///
  /// Rows of C are contiguous, α ≠ 0, k ≥ 1.
  ///
  /// - Parameters:
  ///   - call: by its address. Copying 230 bytes, and reading what has just been copied, takes as long as a product of 8 × 8
  ///     matrices: loads that are wider than the stores before them wait for these.
  ///   - scratch: room for B with rows rounded up to whole vectors, if it has to be packed.
  @_alwaysEmitIntoClient
  public static func multiplySmall(
    _ call: UnsafePointer<Gemm<Scalar>>, scratch: UnsafeMutablePointer<Scalar>?
  ) {
    let (a, c) = (call.pointee.a, call.pointee.c)
    var b = call.pointee.b
    let bPacked = scratch != nil
    if let scratch {
      packColumns(
        b.base, columns: b.columns, columnStride: b.columnStride, depthStride: b.rowStride, depth: b.rows,
        to: scratch)
      b.base = UnsafePointer(scratch)
    }
    let (alpha, beta) = (call.pointee.alpha, call.pointee.beta)
    let panels = Partition(c.rows, limit: tileRows)
    let rest =
      bPacked
      ? 0
      : multiplyRest(
        c,
        TileCall(
          depth: a.columns, a: a.base, aRow: a.rowStride, aDepth: a.columnStride, b: b.base,
          bDepth: b.rowStride,
          c: c.base, cRow: c.rowStride, alpha: alpha, beta: beta, lastLanes: lanes))
    var j = 0
    while j < c.columns &- rest {
      let left = c.columns &- rest &- j
      let width = tileVectors(rows: c.rows, columns: left, bPacked: bPacked) &* lanes
      let columns = min(left, width)
      let vectors = (columns &+ lanes &- 1) / lanes
      var panel = 0
      while panel < panels.parts {
        let (i, rows, count) = (panels.start(panel), panels.size(panel), panels.alike(from: panel))
        var tile = TileCall(
          depth: a.columns, a: a.base + i &* a.rowStride, aRow: a.rowStride,
          aDepth: a.columnStride, b: b.base + (bPacked ? j &* a.columns : j),
          bDepth: bPacked ? width : b.rowStride,
          c: c.base + (i &* c.rowStride &+ j), cRow: c.rowStride, alpha: alpha,
          beta: beta, lastLanes: columns &- (vectors &- 1) &* lanes,
          run: TileRun(count, a: rows &* a.rowStride, b: 0, c: rows &* c.rowStride))
        runTile(vectors: vectors, rows: rows, &tile)
        panel &+= count
      }
      j &+= columns
    }
  }
}
