import FisherRuntime
import KernelTemplates

// A small batch through a large layer: few rows, and a B that no near cache holds, nor a third level of a few cores. Each
// of its elements is read for a handful of FMAs, so that all depends on how fast it comes. A panel of columns would visit
// every row for the length of a vector or two, which no prefetcher follows; here a few rows of B at a time are read from
// end to end:
//
//   for k in the contract's blocks
//     for some steps of k                 as many streams as prefetchers follow
//       S ← S + A·B                       over all columns, S in the second-level cache
//     C ← α·S + β·C
//
// Where one tile does not hold all rows, the first one leaves a packed copy of each panel of B for the others, and
// prefetches what comes next.
//
// The chain of FMAs of an element stops after these steps and goes on where it stopped, with the same bits.

extension Product {
  /// Steps of k between two visits of S: as many FMAs for an element of S that it is read and written once in. One tile of
  /// rows follows streams, of which prefetchers know few; two tiles find the panel after the next prefetched, which
  /// must not drive others out of the first-level cache; with three, B need not come as fast.
  func thinSteps(_ shape: TileShape) -> Int {
    !packsThin(shape) ? 24 : rows <= 2 * shape.tileRows ? 48 : 128
  }

  /// Enough rows to hide the copy of a panel, as the macro-kernel has it: see PackingTile.swift.
  private func packsThin(_ shape: TileShape) -> Bool { rows > shape.tileRows / 2 }

  /// More tiles of rows keep the FMA units busy for so long that B comes fast enough in panels of a whole block.
  static func thinRows(_ shape: TileShape) -> Int { 3 * shape.tileRows }

  /// Whether reading B once is most of the work, and B comes from far. From a near third level panels come as fast by
  /// themselves.
  func isThin(_ shape: TileShape, _ caches: CacheModel = .machine) -> Bool {
    guard case .all = region, gemm.b.columnStride == 1, rows <= Self.thinRows(shape) else { return false }
    return !caches.thirdIsNear && depth > thinSteps(shape) && columns >= 4 * shape.tileColumns
      && depth * abs(gemm.b.rowStride) * MemoryLayout<S>.size > caches.second
  }

  /// Runs a product that ``isThin(_:_:)`` on the calling thread.
  func runThin(_ kernels: any KernelSet<S>.Type) {
    let (blocks, shape) = (DepthBlocks(depth, of: S.self), kernels.shape)
    let columnParts = Partition(
      columns, limit: max(shape.tileColumns, CacheModel.machine.shareOfSecond / (rows * MemoryLayout<S>.size))
    )
    let panel = 2 * shape.tileColumns * thinSteps(shape)
    ThreadContext.current.withScratch(
      shape.tileScratch + panel + rows * columnParts.size(0), of: S.self
    ) { scratch in
      let sums = scratch + shape.tileScratch + panel
      for part in 0..<columnParts.parts {
        let part = block(0, columnParts.start(part), rows: rows, columns: columnParts.size(part))
        for p in 0..<blocks.count {
          part.form(sums, from: blocks.start(p), steps: blocks.size(p), kernels, scratch: scratch)
          kernels.addSum(
            sums, stride: part.columns, to: part.gemm.c, alpha: gemm.alpha, beta: p == 0 ? gemm.beta : 1,
            region: .all)
        }
        if !gemm.epilogue.isIdentity { kernels.finish(part.gemm.epilogue, part.gemm.c) }
      }
    }
  }

  /// S ← A·B for one of the contract's blocks, in rows that are contiguous.
  ///
  /// - Parameter scratch: for a tile, and a packed panel of B after it.
  private func form(
    _ sums: UnsafeMutablePointer<S>, from start: Int, steps: Int, _ kernels: any KernelSet<S>.Type,
    scratch: UnsafeMutablePointer<S>
  ) {
    let shape = kernels.shape
    let packs = packsThin(shape)
    let parts = Partition(steps, limit: thinSteps(shape))
    let plan = BlockPlan(
      isRowMajor: !packs, keepsB: false, readsBOnce: true, residentBytes: CacheModel.machine.fitsFirst)
    for part in 0..<parts.parts {
      let (p, depth) = (start + parts.start(part), parts.size(part))
      let a = gemm.a.block(0, p, rows: rows, columns: depth)
      let b = gemm.b.block(p, 0, rows: depth, columns: columns)
      var call = BlockCall(
        a: BlockOperand(a.base, laneStride: a.rowStride, depthStride: a.columnStride),
        b: BlockOperand(b.base, laneStride: 1, depthStride: b.rowStride),
        c: MutableMatrixPointer(sums, rows: rows, columns: columns, rowStride: columns, columnStride: 1),
        depth: depth, alpha: 1, beta: 0, region: .all, plan: plan, scratch: scratch)
      call.continues = part > 0
      if packs {
        call.source = call.b
        call.b = BlockOperand(
          scratch + shape.tileScratch, laneStride: 1, depthStride: shape.tileColumns, isPacked: true)
      }
      kernels.multiplyBlock(call)
    }
  }
}
