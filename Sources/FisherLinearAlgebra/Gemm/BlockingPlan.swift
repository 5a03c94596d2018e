import KernelTemplates

/// What the loops decide before they start.
struct BlockingPlan {
  /// Bytes of the block of A that stays near while B streams past: less than half of a second-level cache of 1 MiB, most of one of 512 KiB.
  static let blockABytes = 448 << 10
  /// Bytes of packed B: a share of the last-level cache.
  static let packedBBytes = 8 << 20
  /// Bytes of B with a short k, which every panel of A streams past, or for few rows: a share of the second-level
  /// cache.
  static let shortBBytes = 256 << 10

  let blocks: DepthBlocks
  let packsA: Bool
  let packsB: Bool
  /// The first rows' tiles pack B.
  let packsOnTheWay: Bool
  /// Panels of B will be read again by later parts of the rows.
  let keepsB: Bool
  /// Panels of rows and columns, and as many of them together as the packed blocks allow.
  let rowPanels: Partition
  let panelParts: Partition
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
    packsOnTheWay =
      packsB && product.isWhole && b.columnStride == 1 && !BlockCall<S>.isRowMajor(columns: n, depth: k)
    // Packing A is a transposition of k·m elements that n/NR tiles will read.
    let aBytes =
      a.columnStride == 1
      ? ((m - 1) * abs(a.rowStride) + k) * size : ((k - 1) * abs(a.columnStride) + m) * size
    packsA =
      aBytes > 256 << 10 && n > (a.columnStride == 1 && !Self.collides(a.rowStride * size) ? 1024 : 448)
    let bytesPerRow = k * size * (packsA ? shape.panelStride : shape.tileRows) / shape.tileRows
    rowPanels = Partition(m, limit: shape.tileRows)
    panelParts = Partition(rowPanels.parts, limit: max(1, Self.blockABytes / (bytesPerRow * shape.tileRows)))
    // Few rows read packed B once, right after it was packed.
    let isNear = k <= BlockCall<S>.fewSteps || (packsB && m <= 2 * shape.tileRows)
    let nearB = isNear ? Self.shortBBytes : Self.packedBBytes
    let nc = max(1, nearB / (k * size) / shape.tileColumns)
    panelColumns = shape.tileColumns
    columns = n
    let panels = (n + panelColumns - 1) / panelColumns
    keepsB = packsB && !(packsOnTheWay && panelParts.parts == 1)
    columnPanels = Partition(panels, limit: keepsB || k <= BlockCall<S>.fewSteps ? nc : panels)
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
      packsB ? (keepsB ? columnPanels.size(0) : 2) * panelColumns * blocks.length : 0, shape.tileScratch
    )
  }
}
