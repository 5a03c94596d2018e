import KernelTemplates

/// Where the panels of packed columns lie: two vectors each, three the last one of an odd number.
struct PackedPanels {
  private let columns: Int
  private let lanes: Int
  let usualWidth: Int
  let count: Int

  init(columns: Int, _ shape: TileShape) {
    (self.columns, lanes, usualWidth) = (columns, shape.lanes, shape.tileColumns)
    count = max(1, (columns + lanes - 1) / lanes / 2)
  }

  /// The first column; that behind the last panel is the number of columns.
  func start(_ panel: Int) -> Int { panel == count ? columns : panel * usualWidth }

  /// The stride of a panel's steps of k.
  func width(_ panel: Int) -> Int { panel + 1 == count ? lastWidth : usualWidth }

  private var lastWidth: Int { max(usualWidth, (columns - start(count - 1) + lanes - 1) / lanes * lanes) }

  /// Columns with those that only fill the last panel.
  var width: Int { start(count - 1) + lastWidth }

  /// Pieces for threads to pack one by one.
  func pieces(threads: Int) -> Partition {
    Partition(count, parts: min(count, threads == 1 ? 1 : 4 * threads))
  }

  /// Packs some panels of one k block.
  func pack<S: KernelScalar>(
    _ panels: Range<Int>, of b: MatrixPointer<S>, _ kernels: any KernelSet<S>.Type,
    to packed: UnsafeMutablePointer<S>
  ) {
    let (j, end) = (start(panels.lowerBound), start(panels.upperBound))
    kernels.packColumns(
      b.base + j * b.columnStride, columns: end - j, columnStride: b.columnStride, depthStride: b.rowStride,
      depth: b.rows, to: packed + j * b.rows)
  }
}
