import FisherRuntime
import KernelTemplates

/// What is decided before the loops of a product start: what is packed and when, in which parts, and in which order the
/// macro-kernel goes through them.
struct BlockingPlan {
  let blocks: DepthBlocks
  let packsA: Bool
  let packsB: Bool
  /// The first rows' tiles pack B.
  let packsOnTheWay: Bool
  /// For the macro-kernel.
  let kernel: BlockPlan
  /// Panels of rows and columns, and as many of them together as the packed blocks allow.
  let rowPanels: Partition
  let panelParts: Partition
  let columnPanels: Partition
  let panelColumns: Int
  let columns: Int

  /// - Parameter isShared: B has been packed already, by all threads.
  init<S: KernelScalar>(
    _ product: Product<S>, _ shape: TileShape, isShared: Bool = false, _ caches: CacheModel = .machine
  ) {
    let (m, n, size) = (product.rows, product.columns, MemoryLayout<S>.size)
    blocks = DepthBlocks(product.depth, of: S.self)
    let k = blocks.length
    let (a, b, c) = (product.gemm.a, product.gemm.b, product.gemm.c)
    // Packing B is a copy of k·n elements that m/MR tiles will read. It cannot be avoided if rows are not contiguous.
    let bBytes = ((k - 1) * abs(b.rowStride) + n) * size
    // Three tiles of rows are enough if B does not come from the second level.
    let readsInPlace =
      m > 4 * shape.tileRows ? caches.shareOfSecond : m > 2 * shape.tileRows ? caches.second : .max
    packsB = !isShared && (b.columnStride != 1 || bBytes > readsInPlace)
    // Packing A is a transposition of k·m elements that n/NR tiles will read. Where it is none, each step of k is in
    // another page, and a copy pays sooner.
    let aBytes =
      a.columnStride == 1
      ? ((m - 1) * abs(a.rowStride) + k) * size : ((k - 1) * abs(a.columnStride) + m) * size
    packsA =
      aBytes > caches.shareOfSecond
      && n > (a.columnStride != 1 ? 192 : Self.collides(a.rowStride * size) ? 448 : 1024)
    let bytesPerRow = k * size * (packsA ? shape.panelStride : shape.tileRows) / shape.tileRows
    rowPanels = Partition(m, limit: shape.tileRows)
    panelParts = Partition(rowPanels.parts, limit: max(1, caches.blockOfA / (bytesPerRow * shape.tileRows)))

    let hasFewSteps = k <= BlockPlan.fewSteps
    packsOnTheWay =
      packsB && product.isWhole && b.columnStride == 1
      && !BlockPlan.isRowMajor(depth: k, columns: n, of: S.self, caches)
    let keepsB = isShared || packsB && !(packsOnTheWay && panelParts.parts == 1)
    // Few rows read packed B once, right after it was packed.
    let isRead = hasFewSteps || (packsB && m <= 2 * shape.tileRows)
    let nc = max(
      1, (isRead ? caches.shareOfSecond : caches.shareOfThird) / (k * size) / shape.tileColumns)
    panelColumns = shape.tileColumns
    columns = n
    let panels = (n + panelColumns - 1) / panelColumns
    columnPanels = Partition(panels, limit: keepsB || hasFewSteps ? nc : panels)

    let partColumns = min(n, columnPanels.size(0) * panelColumns)
    kernel = BlockPlan(
      isRowMajor: !packsOnTheWay && BlockPlan.isRowMajor(depth: k, columns: partColumns, of: S.self, caches),
      sweeps: product.isWhole && k <= BlockPlan.fewestSteps && !packsA && !packsB && c.columnStride == 1
        && product.gemm.epilogue.isIdentity
        && (k * n * size <= caches.fitsFirst || m * c.rowStride * size >= caches.exceedsSecond),
      keepsB: keepsB, prefetchesB: b.rows * b.rowStride * size > caches.shareOfThird,
      residentBytes: caches.fitsFirst)
  }

  /// Rows this many bytes apart meet in the same sets of the first-level cache, whose ways hold 4 KiB each.
  static func collides(_ stride: Int) -> Bool { (stride + 64) & 4095 < 128 }

  /// The macro-kernel is called once.
  var isOneBlock: Bool { blocks.count == 1 && !packsA && !packsB && rowParts == 1 && columnParts == 1 }

  var rowParts: Int { panelParts.parts }
  func rows(_ i: Int) -> Range<Int> {
    let first = panelParts.start(i)
    return rowPanels.start(first)..<rowPanels.start(first + panelParts.size(i))
  }
  var columnParts: Int { columnPanels.parts }
  func columnStart(_ i: Int) -> Int { columnPanels.start(i) * panelColumns }
  func columnCount(_ i: Int) -> Int { min(columns - columnStart(i), columnPanels.size(i) * panelColumns) }

  /// Elements of scratch for packed A, packed B, and one tile.
  func scratch(_ shape: TileShape) -> (a: Int, b: Int, tile: Int) {
    (
      packsA ? panelParts.size(0) * blocks.length * shape.panelStride : 0,
      packsB ? (kernel.keepsB ? columnPanels.size(0) : 2) * panelColumns * blocks.length : 0,
      shape.tileScratch
    )
  }
}

extension BlockPlan {
  /// Whether the panels of A are the outer loop: k × n elements of B stay in the first-level cache, or C is most of the
  /// memory.
  static func isRowMajor<S>(depth k: Int, columns n: Int, of type: S.Type, _ caches: CacheModel) -> Bool {
    k <= fewSteps || k * n * MemoryLayout<S>.size <= caches.staysInFirst
  }
}
