import KernelTemplates

// One thread's product: the loops around the macro-kernel.
//
//   for columns in parts of NC        packed B (KC × NC) fits the last-level cache
//     for k in the contract's blocks  each adds α·(its sum) to C
//       for rows in parts of MC       packed A (MC × KC) fits the second-level cache
//         macro-kernel
//
// Operands that are small, or that few tiles will read, are not packed but read where they lie.

/// What the loops decide before they start.
struct BlockingPlan {
  /// Bytes of packed A: about a third of a second-level cache of 1 MiB, most of one of 512 KiB.
  static let packedABytes = 320 << 10
  /// Bytes of packed B: a share of the last-level cache.
  static let packedBBytes = 3 << 20

  let blocks: DepthBlocks
  let packsA: Bool
  let packsB: Bool
  /// Parts of rows and columns, as large as the packed blocks allow.
  let rowParts: Partition
  let columnPanels: Partition
  let panelColumns: Int
  let columns: Int

  init<S: KernelScalar>(_ product: Product<S>, _ shape: TileShape) {
    let (m, n, size) = (product.rows, product.columns, MemoryLayout<S>.size)
    blocks = DepthBlocks(product.depth)
    let k = blocks.length
    let (a, b) = (product.gemm.a, product.gemm.b)
    // Packing B is a copy of k·n elements that m/MR tiles will read. It cannot be avoided if rows are not contiguous.
    let bBytes = ((k - 1) * abs(b.rowStride) + n) * size
    packsB = b.columnStride != 1 || (m > 4 * shape.tileRows && bBytes > 256 << 10)
    // Packing A is a transposition of k·m elements that n/NR tiles will read.
    let aBytes = a.columnStride == 1 ? ((m - 1) * abs(a.rowStride) + k) * size : ((k - 1) * abs(a.columnStride) + m) * size
    packsA = n > 2 * shape.tileColumns && aBytes > 256 << 10
    let paddedK = k * size * shape.panelStride / shape.tileRows
    let mc = packsA ? max(shape.tileRows, Self.packedABytes / max(1, paddedK) / shape.tileRows * shape.tileRows) : m
    rowParts = Partition(m, limit: max(mc, 1))
    let nc = max(1, Self.packedBBytes / max(1, k * size) / shape.tileColumns)
    panelColumns = shape.tileColumns
    columns = n
    let panels = (n + panelColumns - 1) / panelColumns
    columnPanels = packsB ? Partition(panels, limit: nc) : Partition(panels, limit: max(panels, 1))
  }

  var columnParts: Int { columnPanels.parts }
  func columnStart(_ i: Int) -> Int { columnPanels.start(i) * panelColumns }
  func columnCount(_ i: Int) -> Int { min(columns - columnStart(i), columnPanels.size(i) * panelColumns) }

  /// Elements of scratch for packed A, packed B, and one tile.
  func scratch(_ shape: TileShape) -> (a: Int, b: Int, tile: Int) {
    let aPanels = Partition(rowParts.size(0), limit: shape.tileRows).parts
    return (
      packsA ? aPanels * blocks.length * shape.panelStride : 0,
      packsB ? columnPanels.size(0) * panelColumns * blocks.length : 0, shape.tileScratch
    )
  }
}

extension Product {
  /// Runs the whole product on the calling thread. k ≥ 1, α ≠ 0, C not empty, rows of C contiguous where possible.
  func runSerially(_ kernels: any KernelSet<S>.Type) {
    let shape = kernels.shape
    let plan = BlockingPlan(self, shape)
    let need = plan.scratch(shape)
    ThreadContext.current.withScratch(need.tile + need.a + need.b, of: S.self) { scratch in
      let packedA = scratch + need.tile
      let packedB = packedA + need.a
      for part in 0..<plan.columnParts {
        let j = plan.columnStart(part)
        let columns = plan.columnCount(part)
        for p in 0..<plan.blocks.count {
          let b = gemm.b.block(plan.blocks.start(p), j, rows: plan.blocks.size(p), columns: columns)
          if plan.packsB {
            kernels.packB(
              b.base, columns: columns, columnStride: b.columnStride, depthStride: b.rowStride, depth: b.rows,
              to: packedB)
          }
          for part in 0..<plan.rowParts.parts {
            let i = plan.rowParts.start(part)
            let rows = plan.rowParts.size(part)
            if region.overlap(i, j, rows: rows, columns: columns) == .none { continue }
            let a = gemm.a.block(i, plan.blocks.start(p), rows: rows, columns: b.rows)
            if plan.packsA {
              kernels.packA(
                a.base, rows: rows, rowStride: a.rowStride, depthStride: a.columnStride, depth: b.rows, to: packedA)
            }
            kernels.multiplyBlock(
              BlockCall(
                rows: rows, columns: columns, depth: b.rows,
                a: plan.packsA ? UnsafePointer(packedA) : a.base, aRow: plan.packsA ? 1 : a.rowStride,
                aDepth: plan.packsA ? shape.panelStride : a.columnStride, aPacked: plan.packsA,
                b: plan.packsB ? UnsafePointer(packedB) : b.base,
                bDepth: plan.packsB ? shape.tileColumns : b.rowStride, bPacked: plan.packsB,
                c: gemm.c.block(i, j, rows: rows, columns: columns), alpha: gemm.alpha,
                beta: p == 0 ? gemm.beta : 1, region: region.block(i, j),
                epilogue: p == plan.blocks.count - 1 && !gemm.epilogue.isIdentity ? gemm.epilogue.block(i, j) : nil,
                scratch: scratch))
          }
        }
      }
    }
  }
}
