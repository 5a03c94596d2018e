import FisherRuntime
import KernelTemplates

// One triangle of A·Aᵀ: a k block is packed once, by all threads, and its panels are the operand of the vectors and of the
// broadcasts. Unpacked columns that are read with k as the stride would meet in few sets of the first-level cache, and
// threads with parts of their own would pack the same rows again and again.
//
//     panel 0 ■
//     panel 1 ■ ■        rows of C: panel q as A, panels 0 … q as B
//     panel 2 ■ ■ ■

extension Product {
  /// Rows up to which a packed block of k stays in the second-level cache.
  private static var mostPackedRows: Int { 1024 / MemoryLayout<S>.size }
  /// Contiguous rows of B up to this length are as good as a panel.
  private static var panelBytes: Int { 128 }

  /// What a block of k has to take one core before threads that pack it together have gained what they wait for each other,
  /// in microseconds.
  private static var worthSharing: Double { 200 }

  /// B is Aᵀ and one triangle is asked for, of a size that is worth packing at once on so many threads: one thread keeps its
  /// packed block in the second-level cache, several share theirs in the third.
  func isPackedOnce(threads: Int) -> Bool {
    switch region {
    case .lower(diagonal: 0), .upper(diagonal: 0): break
    default: return false
    }
    let (a, b, size, blocks) = (gemm.a, gemm.b, MemoryLayout<S>.size, DepthBlocks(depth, of: S.self))
    if threads > 1 && microseconds < Self.worthSharing * Double(blocks.count) { return false }
    let most = threads == 1 ? Self.mostPackedRows : CacheModel.machine.shareOfThird / (blocks.length * size)
    return a.base == b.base && a.rowStride == b.columnStride && a.columnStride == b.rowStride
      && rows == columns && rows <= most && gemm.epilogue.isIdentity
      && (b.columnStride != 1 || rows * size > Self.panelBytes)
  }

  /// Runs such a product.
  func runPackedOnce(_ kernels: any KernelSet<S>.Type, threads: Int) {
    let (shape, blocks) = (kernels.shape, DepthBlocks(depth, of: S.self))
    let panels = PackedPanels(columns: columns, shape)
    // The panels of rows in groups for threads to take one by one, those with most elements first.
    let groups = Partition(panels.count, parts: threads == 1 ? 1 : min(panels.count, 8 * threads))
    ThreadContext.current.withScratch(panels.width * blocks.length, of: S.self) { packed in
      for p in 0..<blocks.count {
        let (b, beta) = (
          gemm.b.block(blocks.start(p), 0, rows: blocks.size(p), columns: columns), p == 0 ? gemm.beta : 1
        )
        let pieces = panels.pieces(threads: threads)
        Parallel.perform(pieces.parts, threads: threads) { piece in
          panels.pack(pieces.range(piece), of: b, kernels, to: packed)
        }
        Parallel.perform(groups.parts, threads: threads) { task in
          let rows = groups.range(isLower ? groups.parts - 1 - task : task)
          ThreadContext.current.withScratch(shape.tileScratch, of: S.self) { tile in
            multiply(rows, of: panels, packed, depth: b.rows, beta: beta, kernels, tile: tile)
          }
        }
      }
    }
  }

  private var isLower: Bool { if case .lower = region { true } else { false } }

  /// Some panels of rows of the triangle of C ← α·PᵀP + β·C for packed columns P.
  private func multiply(
    _ rowPanels: Range<Int>, of panels: PackedPanels, _ packed: UnsafeMutablePointer<S>, depth: Int, beta: S,
    _ kernels: any KernelSet<S>.Type, tile: UnsafeMutablePointer<S>
  ) {
    let caches = CacheModel.machine
    // So many panels of B stay in the second-level cache for all panels of rows.
    let chunk = max(1, caches.shareOfSecond / (depth * panels.usualWidth * MemoryLayout<S>.size))
    for first in stride(from: 0, to: panels.count, by: chunk) {
      for q in rowPanels {
        let (i, end) = (panels.start(q), panels.start(q + 1))
        let j = isLower ? panels.start(first) : max(i, panels.start(first))
        let last = panels.start(min(first + chunk, panels.count))
        let count = (isLower ? min(end, last) : last) - j
        if count <= 0 { continue }
        kernels.multiplyBlock(
          BlockCall(
            a: BlockOperand(packed + i * depth, laneStride: 1, depthStride: panels.width(q)),
            b: BlockOperand(
              packed + j * depth, laneStride: 1, depthStride: panels.usualWidth, isPacked: true),
            c: gemm.c.block(i, j, rows: end - i, columns: count), depth: depth, alpha: gemm.alpha, beta: beta,
            region: region.block(i, j),
            plan: BlockPlan(
              isRowMajor: BlockPlan.isRowMajor(depth: depth, columns: count, of: S.self, caches),
              residentBytes: caches.fitsFirst), scratch: tile))
      }
    }
  }
}
