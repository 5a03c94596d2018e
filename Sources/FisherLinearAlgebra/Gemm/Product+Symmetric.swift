import FisherRuntime
import KernelTemplates

// One triangle of A·Aᵀ for few rows: a k block is packed once, and its panels are the operand of the vectors and of the
// broadcasts. Unpacked columns that are read with k as the stride would meet in few sets of the first-level cache.
//
//     panel 0 ■
//     panel 1 ■ ■        rows of C: panel q as A, panels 0 … q as B
//     panel 2 ■ ■ ■

extension Product {
  /// Rows up to which a packed block of k stays in the second-level cache.
  private static var mostPackedRows: Int { 1024 / MemoryLayout<S>.size }
  /// Contiguous rows of B up to this length are as good as a panel.
  private static var panelBytes: Int { 128 }

  /// B is Aᵀ and one triangle is asked for, of a size that is worth packing at once.
  var isPackedOnce: Bool {
    switch region {
    case .lower(diagonal: 0), .upper(diagonal: 0): break
    default: return false
    }
    let (a, b) = (gemm.a, gemm.b)
    return a.base == b.base && a.rowStride == b.columnStride && a.columnStride == b.rowStride
      && rows == columns && rows <= Self.mostPackedRows && gemm.epilogue.isIdentity
      && (b.columnStride != 1 || rows * MemoryLayout<S>.size > Self.panelBytes)
  }

  /// Runs such a product on the calling thread.
  func runPackedOnce(_ kernels: any KernelSet<S>.Type) {
    let (shape, blocks) = (kernels.shape, DepthBlocks(depth))
    let width = (columns + shape.tileColumns - 1) / shape.tileColumns * shape.tileColumns
    ThreadContext.current.withScratch(shape.tileScratch + width * blocks.length, of: S.self) { scratch in
      let packed = scratch + shape.tileScratch
      for p in 0..<blocks.count {
        let b = gemm.b.block(blocks.start(p), 0, rows: blocks.size(p), columns: columns)
        kernels.packColumns(
          b.base, columns: columns, columnStride: b.columnStride, depthStride: b.rowStride, depth: b.rows,
          to: packed)
        multiply(packed, depth: b.rows, beta: p == 0 ? gemm.beta : 1, kernels, tile: scratch)
      }
    }
  }

  /// The triangle of C ← α·PᵀP + β·C for packed columns P.
  private func multiply(
    _ packed: UnsafeMutablePointer<S>, depth: Int, beta: S, _ kernels: any KernelSet<S>.Type,
    tile: UnsafeMutablePointer<S>
  ) {
    let (shape, caches) = (kernels.shape, CacheModel.machine)
    let isLower = if case .lower = region { true } else { false }
    var i = 0
    while i < rows {
      let width = shape.panelWidth(left: rows - i)
      let height = min(width, rows - i)
      let (j, count) = isLower ? (0, i + height) : (i, rows - i)
      kernels.multiplyBlock(
        BlockCall(
          a: BlockOperand(packed + i * depth, laneStride: 1, depthStride: width),
          b: BlockOperand(packed + j * depth, laneStride: 1, depthStride: shape.tileColumns, isPacked: true),
          c: gemm.c.block(i, j, rows: height, columns: count), depth: depth, alpha: gemm.alpha, beta: beta,
          region: region.block(i, j),
          plan: BlockPlan(
            isRowMajor: BlockPlan.isRowMajor(depth: depth, columns: count, of: S.self, caches),
            residentBytes: caches.fitsFirst), scratch: tile))
      i += width
    }
  }
}
