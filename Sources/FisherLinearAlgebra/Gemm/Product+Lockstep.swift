import FisherRuntime
import KernelTemplates

// A product of at most four rows and one vector of columns whose k has several blocks: see Lockstep.swift of the kernels.

extension Product {
  /// Whether the sums of several blocks of k can be formed side by side, and need to be.
  func isLockstep(_ shape: TileShape) -> Bool {
    guard case .all = region, rows <= 4, columns <= shape.lanes, gemm.c.columnStride == 1 else {
      return false
    }
    return depth > DepthBlocks.limit(S.self)
  }

  /// Runs a product that ``isLockstep(_:)`` on the calling thread.
  func runInLockstep(_ kernels: any KernelSet<S>.Type) {
    let (blocks, ways, shape) = (DepthBlocks(depth, of: S.self), BlockCall<S>.ways(rows: rows), kernels.shape)
    // The last block may be shorter.
    let equal = blocks.size(blocks.count - 1) == blocks.length ? blocks.count : blocks.count - 1
    let packsB = gemm.b.columnStride != 1
    ThreadContext.current.withScratch(
      shape.tileScratch + (packsB ? ways * blocks.length * shape.tileColumns : 0), of: S.self
    ) { scratch in
      var p = 0
      while p < blocks.count {
        let count = p + ways <= equal ? ways : 1
        var call = blockCall(
          blocks, p, count: count, rows: 0..<rows, columns: 0..<columns,
          plan: BlockPlan(residentBytes: CacheModel.machine.fitsFirst), scratch: scratch)
        if packsB {
          let b = gemm.b
          kernels.packB(
            call.b.base, columns: columns, columnStride: b.columnStride, depthStride: b.rowStride,
            depth: count * call.depth, to: scratch + shape.tileScratch)
          call.b = BlockOperand(
            scratch + shape.tileScratch, laneStride: 1, depthStride: shape.tileColumns, isPacked: true)
        }
        if count == ways { kernels.multiplyLockstep(call) } else { kernels.multiplyBlock(call) }
        p += count
      }
    }
  }
}
