import FisherRuntime
import KernelTemplates

// Several threads and an operand that has to be turned: all threads pack B, once and for all blocks of k, and then take
// parts of C, for which each packs rows of A. With parts that pack for themselves, every row and column would be packed by
// every second part.

extension Product {
  /// What a product has to take one fast core before its threads have gained what they wait for each other after packing,
  /// in microseconds.
  private static var worthSharing: Double { 400 }
  /// Rows and columns of C from which a packed B is read often enough, if it could be read where it lies.
  private static var leastSide: Int { 384 }

  /// Whether threads pack B together.
  func sharesColumns(_ shape: TileShape) -> Bool {
    if !isWhole || microseconds < Self.worthSharing || rows < 4 * shape.tileRows { return false }
    return gemm.b.columnStride != 1 || (gemm.a.columnStride != 1 && min(rows, columns) >= Self.leastSide)
  }

  /// Runs such a product, as many columns at a time as the third-level cache keeps.
  func runShared(_ kernels: any KernelSet<S>.Type, threads: Int) {
    let (shape, bytesPerColumn) = (kernels.shape, depth * MemoryLayout<S>.size)
    let chunks = Partition(
      (columns + shape.tileColumns - 1) / shape.tileColumns,
      limit: max(1, CacheModel.machine.shareOfThird / (bytesPerColumn * shape.tileColumns)))
    let width = chunks.size(0) * shape.tileColumns + shape.lanes
    ThreadContext.current.withScratch(width * depth, of: S.self) { packed in
      for chunk in 0..<chunks.parts {
        let j = chunks.start(chunk) * shape.tileColumns
        let count = min(columns - j, chunks.size(chunk) * shape.tileColumns)
        block(0, j, rows: rows, columns: count).runShared(packed, kernels, threads: threads)
      }
    }
  }

  /// The columns of one such part, packed into the memory given.
  private func runShared(
    _ packed: UnsafeMutablePointer<S>, _ kernels: any KernelSet<S>.Type, threads: Int
  ) {
    let blocks = DepthBlocks(depth, of: S.self)
    let panels = PackedPanels(columns: columns, kernels.shape)
    let shared = SharedColumns(base: packed, blocks: blocks, width: panels.width)
    let pieces = panels.pieces(threads: threads)
    Parallel.perform(pieces.parts * blocks.count, threads: threads) { piece in
      let (p, q) = (piece / pieces.parts, piece % pieces.parts)
      let b = gemm.b.block(blocks.start(p), 0, rows: blocks.size(p), columns: columns)
      panels.pack(pieces.range(q), of: b, kernels, to: shared.panels(block: p, column: 0))
    }
    let parts = parts(kernels.shape, isShared: true, threads: threads)
    Parallel.perform(parts.count, threads: threads) { task in
      let part = parts[task]
      block(part.row, part.column, rows: part.rows, columns: part.columns)
        .runBlocked(kernels, shared.advanced(by: part.column))
    }
  }
}

/// All of B, packed: the panels of each block of k behind those of the one before.
struct SharedColumns<S: KernelScalar> {
  let base: UnsafeMutablePointer<S>
  let blocks: DepthBlocks
  /// Columns of all panels.
  let width: Int
  /// The column where this view begins, which is the first of a panel.
  private(set) var first = 0

  /// The same without the first columns, whole panels of them.
  func advanced(by columns: Int) -> SharedColumns {
    var rest = self
    rest.first += columns
    return rest
  }

  /// The panel that begins with a column, in one block of k.
  func panels(block p: Int, column j: Int) -> UnsafeMutablePointer<S> {
    base + width * blocks.start(p) + (first + j) * blocks.size(p)
  }
}
