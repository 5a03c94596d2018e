import FisherRuntime
import KernelTemplates

// One thread's product: the loops around the macro-kernel.
//
//   for columns in parts of NC        packed B (KC × NC) fits the last-level cache
//     for k in the contract's blocks  each adds α·(its sum) to C
//       for rows in parts of MC       packed A (MC × KC) fits the second-level cache
//         macro-kernel
//
// Operands that are small, or that few tiles will read, are not packed but read where they lie. Where rows of B are
// contiguous, the macro-kernel packs it on the way, in the first part of the rows.

extension Product {
  /// Runs the whole product on the calling thread. k ≥ 1, α ≠ 0, C not empty, rows of C contiguous where possible.
  func runSerially(_ kernels: any KernelSet<S>.Type) {
    if isPackedOnce(threads: 1) { return runPackedOnce(kernels, threads: 1) }
    let shape = kernels.shape
    if isLockstep(shape) { return runInLockstep(kernels) }
    if isWhole && gemm.isMatrixVector(kernels) { return runMatrixVector(kernels) }
    if isThin(shape) { return runThin(kernels) }
    if isTurned(shape) { return runTurned(kernels) }
    runBlocked(kernels)
  }

  /// The same by blocks, whatever the shape.
  ///
  /// - Parameter shared: B as all threads have packed it; nil if this one packs for itself.
  func runBlocked(_ kernels: any KernelSet<S>.Type, _ shared: SharedColumns<S>? = nil) {
    let shape = kernels.shape
    let plan = BlockingPlan(self, shape, isShared: shared != nil)
    if plan.isOneBlock, shared == nil, case .all = region, gemm.c.columnStride == 1 {
      // Nothing is packed and every tile goes straight to C: no scratch, and one call.
      kernels.multiplyBlock(
        blockCall(
          plan.blocks, 0, rows: 0..<rows, columns: 0..<columns, plan: plan.kernel, scratch: gemm.c.base))
      return
    }
    let need = plan.scratch(shape)
    ThreadContext.current.withScratch(need.tile + need.a + need.b, of: S.self) { scratch in
      runLoops(
        plan, shape, kernels, packedA: scratch + need.tile, packedB: scratch + need.tile + need.a, shared,
        tile: scratch)
    }
  }

  /// The three loops at the head of this file.
  private func runLoops(
    _ plan: BlockingPlan, _ shape: TileShape, _ kernels: any KernelSet<S>.Type,
    packedA: UnsafeMutablePointer<S>, packedB: UnsafeMutablePointer<S>, _ shared: SharedColumns<S>?,
    tile: UnsafeMutablePointer<S>
  ) {
    for part in 0..<plan.columnParts {
      let j = plan.columnStart(part)..<plan.columnStart(part) + plan.columnCount(part)
      for p in 0..<plan.blocks.count {
        let (start, depth) = (plan.blocks.start(p), plan.blocks.size(p))
        if plan.packsB && !plan.packsOnTheWay {
          let b = gemm.b.block(start, j.lowerBound, rows: depth, columns: j.count)
          kernels.packColumns(
            b.base, columns: j.count, columnStride: b.columnStride, depthStride: b.rowStride, depth: depth,
            to: packedB)
        }
        for part in 0..<plan.rowParts {
          let i = plan.rows(part)
          if region.overlap(i.lowerBound, j.lowerBound, rows: i.count, columns: j.count) == .none { continue }
          var call = blockCall(plan.blocks, p, rows: i, columns: j, plan: plan.kernel, scratch: tile)
          if plan.packsA {
            kernels.packA(
              call.a.base, rows: i.count, rowStride: call.a.laneStride, depthStride: call.a.depthStride,
              depth: depth, to: packedA)
            call.a = BlockOperand(
              packedA, laneStride: 1, depthStride: shape.panelStride, isPacked: true)
            if gemm.a.columnStride == 1 { call.nextA = nextA(plan, part: part, block: p) }
          }
          if let shared {
            call.b = BlockOperand(
              shared.panels(block: p, column: j.lowerBound), laneStride: 1, depthStride: shape.tileColumns,
              isPacked: true)
          } else if plan.packsB {
            if part == 0 && plan.packsOnTheWay { call.source = call.b }
            call.b = BlockOperand(packedB, laneStride: 1, depthStride: shape.tileColumns, isPacked: true)
          }
          kernels.multiplyBlock(call)
        }
      }
    }
  }

  /// Where the block of A lies that is packed after this one.
  private func nextA(_ plan: BlockingPlan, part: Int, block: Int) -> BlockOperand<S>? {
    let isLastPart = part + 1 == plan.rowParts
    if isLastPart && block + 1 == plan.blocks.count { return nil }
    let row = isLastPart ? 0 : plan.rows(part).upperBound
    let start = plan.blocks.start(isLastPart ? block + 1 : block)
    return BlockOperand(
      gemm.a.base + row * gemm.a.rowStride + start, laneStride: gemm.a.rowStride, depthStride: 1)
  }

  /// The macro-kernel's call for a part of C and `count` k blocks of one length from block `p` on, with both operands read
  /// where they lie.
  @inline(__always)
  func blockCall(
    _ blocks: DepthBlocks, _ p: Int, count: Int = 1, rows i: Range<Int>, columns j: Range<Int>,
    plan: BlockPlan, scratch: UnsafeMutablePointer<S>
  ) -> BlockCall<S> {
    let (start, depth, isLast) = (blocks.start(p), blocks.size(p), p + count == blocks.count)
    let a = gemm.a.block(i.lowerBound, start, rows: i.count, columns: depth)
    let b = gemm.b.block(start, j.lowerBound, rows: depth, columns: j.count)
    return BlockCall(
      a: BlockOperand(a.base, laneStride: a.rowStride, depthStride: a.columnStride),
      b: BlockOperand(b.base, laneStride: 1, depthStride: b.rowStride),
      c: gemm.c.block(i.lowerBound, j.lowerBound, rows: i.count, columns: j.count), depth: depth,
      alpha: gemm.alpha, beta: p == 0 ? gemm.beta : 1, region: region.block(i.lowerBound, j.lowerBound),
      epilogue: isLast && !gemm.epilogue.isIdentity ? gemm.epilogue.block(i.lowerBound, j.lowerBound) : nil,
      plan: plan, scratch: scratch)
  }
}
