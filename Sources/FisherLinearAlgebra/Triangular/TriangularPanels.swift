import FisherRuntime
import KernelTemplates

// Solving with a lower triangle L of n rows, and multiplying by it, one block of L at a time:
//
//   solve, from the top:          X_b ← L_bb⁻¹·(α·B_b − L_b,<b·X_<b)
//   multiply, from the bottom:    X_b ← α·L_bb·B_b + α·L_b,<b·B_<b
//
// The products are gemms. L_bb meets its rows in panels of NR columns: read and written in place where the rows are
// contiguous and near, else in scratch. Blocks depend on n alone, panels are independent: the bits are the same for any
// number of threads.

/// What happens to the rows of a block.
enum TriangularVerb { case solve, multiply }

/// A canonical call: a lower triangle on the left.
struct TriangularPanels<S: KernelScalar> {
  let call: Triangular<S>
  let verb: TriangularVerb
  let kernels: any KernelSet<S>.Type
  let threads: Int

  /// Rows of a block: with more, packed L would be far; with fewer, there are products between blocks that pack B again.
  static var blockRows: Int { 512 }

  func run(on backend: NativeBackend) {
    let blocks = Partition(call.b.rows, limit: Self.blockRows)
    for step in 0..<blocks.parts {
      let k = verb == .solve ? step : blocks.parts - 1 - step
      let part = call.rows(blocks.start(k), blocks.size(k))
      let product = forwards(
        Gemm(
          alpha: verb == .solve ? -1 : call.alpha, a: part.left, b: part.above.readOnly,
          beta: verb == .solve ? call.alpha : 1, c: part.block))
      if verb == .solve && k > 0 { backend.gemm(product, threads: threads) }
      runBlock(part.diagonal, part.block, alpha: verb == .solve && k > 0 ? 1 : call.alpha)
      if verb == .multiply && k > 0 { backend.gemm(product, threads: threads) }
    }
  }

  /// The same product with rows of C and steps of k in the order of memory: the fast ways of copying are for that order.
  private func forwards(_ product: Gemm<S>) -> Gemm<S> {
    if call.b.rowStride >= 0 { return product }
    var result = product
    result.a = product.a.rowsReversed.columnsReversed
    result.b = product.b.rowsReversed
    result.c = product.c.rowsReversed
    return result
  }

  /// One block with the triangle `l`.
  private func runBlock(_ l: MatrixPointer<S>, _ b: MutableMatrixPointer<S>, alpha: S) {
    let (n, shape) = (b.rows, kernels.shape)
    let tiles = Partition(n, limit: shape.tileRows)
    let threads = Parallel.allowance(
      threads, microseconds: productMicroseconds(S.self, Double(n * n) * Double(b.columns)))
    let packs = shouldPack(l, columns: b.columns)
    let tileStride = packs ? n * shape.panelStride : 0
    let context = ThreadContext.current
    context.withScratch(n + tiles.parts * tileStride, of: S.self) { scratch in
      let divides = fillDiagonal(l, scratch)
      var panel = PanelCall(
        tiles: tiles, a: l.base, tileStride: tileStride, aRow: l.rowStride, aDepth: l.columnStride,
        diagonal: UnsafePointer(scratch), divides: divides, alpha: alpha, x: b.base, xRow: b.rowStride,
        panelStride: shape.tileColumns, vectors: 0)
      if packs { pack(l, tiles, to: scratch + n, &panel) }
      let panels = Partition(
        (b.columns + shape.tileColumns - 1) / shape.tileColumns, limit: threads == 1 ? .max : panelsPerTask(n)
      )
      Parallel.perform(panels.parts, threads: threads) { task in
        let first = panels.start(task) * shape.tileColumns
        let last = min(b.columns, first + panels.size(task) * shape.tileColumns)
        runPanels(panel, b.block(0, first, rows: n, columns: last - first))
      }
    }
  }

  /// As many panels as outweigh the start of a task many times.
  private func panelsPerTask(_ n: Int) -> Int { max(1, 1_500_000 / (n * n * kernels.shape.tileColumns)) }

  /// Reading L where it lies costs misses if its rows are far apart, packing it pays if it meets many columns.
  private func shouldPack(_ l: MatrixPointer<S>, columns: Int) -> Bool {
    let extent = l.rows * max(abs(l.rowStride), abs(l.columnStride)) * MemoryLayout<S>.size
    return extent > CacheModel.machine.spansFirst && columns >= 2 * kernels.shape.tileRows
  }

  /// What the kernels want for the diagonal.
  ///
  /// - Returns: whether a reciprocal would lose digits or overflow, so that the kernel has to divide.
  private func fillDiagonal(_ l: MatrixPointer<S>, _ diagonal: UnsafeMutablePointer<S>) -> Bool {
    func element(_ i: Int) -> S { call.unitDiagonal ? 1 : l[i, i] }
    if verb == .multiply {
      for i in 0..<l.rows { diagonal[i] = element(i) }
      return false
    }
    var divides = false
    for i in 0..<l.rows {
      let reciprocal = 1 / element(i)
      divides = divides || !reciprocal.isNormal
      diagonal[i] = -reciprocal
    }
    if divides { for i in 0..<l.rows { diagonal[i] = -element(i) } }
    return divides
  }

  /// Copies the tiles of L. If L is an upper triangle read backwards, its rows are copied forwards, so that the fast
  /// ways of copying apply, and the tiles are read backwards instead.
  private func pack(
    _ l: MatrixPointer<S>, _ tiles: Partition, to target: UnsafeMutablePointer<S>, _ panel: inout PanelCall<S>
  ) {
    let (n, stride) = (l.rows, kernels.shape.panelStride)
    let backwards = l.rowStride < 0 && l.columnStride < 0
    for t in 0..<tiles.parts {
      let (start, rows) = (tiles.start(t), tiles.size(t))
      let depth = start + rows
      let tile = l.block(start, 0, rows: rows, columns: depth)
      let source = backwards ? tile.rowsReversed.columnsReversed : tile
      // Backwards, the last row and column of every tile get the same place.
      let place = target + t * panel.tileStride + (backwards ? (n - depth) * stride : 0)
      kernels.packA(
        source.base, rows: rows, rowStride: source.rowStride, depthStride: source.columnStride, depth: depth,
        to: place)
      if backwards && rows < tiles.size(0) { shift(place, rows: rows, by: tiles.size(0) - rows, depth) }
    }
    panel.a = UnsafePointer(target)
    (panel.aRow, panel.aDepth) = (1, stride)
    if backwards {
      panel.a += (n - 1) * stride + tiles.size(0) - 1
      (panel.aRow, panel.aDepth) = (-1, -stride)
    }
  }

  /// Moves the lanes of a shorter tile up, so that its last lane is where the others have theirs.
  private func shift(_ tile: UnsafeMutablePointer<S>, rows: Int, by lanes: Int, _ depth: Int) {
    for p in 0..<depth {
      let row = tile + p * kernels.shape.panelStride
      for i in (0..<rows).reversed() { row[i + lanes] = row[i] }
    }
  }

  /// Consecutive panels on one thread.
  private func runPanels(_ panel: PanelCall<S>, _ b: MutableMatrixPointer<S>) {
    let (n, width, lanes) = (b.rows, kernels.shape.tileColumns, kernels.shape.lanes)
    let inPlace = b.columnStride == 1 && isNear(b) ? b.columns / lanes * lanes : 0
    if inPlace > 0 {
      var part = panel
      (part.x, part.vectors) = (b.base, inPlace / lanes)
      run(part)
    }
    let together = panelsTogether(b) * width
    ThreadContext.current.withScratch(n * min(together, b.columns - inPlace + width), of: S.self) { scratch in
      for j in stride(from: inPlace, to: b.columns, by: together) {
        let columns = min(together, b.columns - j)
        runInScratch(panel, b.block(0, j, rows: n, columns: columns), scratch)
      }
    }
  }

  /// Whether rows are solved where they lie: the block spans little, or a panel of it stays in the first-level cache. Rows a
  /// multiple of 2ᵖ lines apart share 1/2ᵖ of that, up to 4 KiB, where they all meet in one set.
  private func isNear(_ b: MutableMatrixPointer<S>) -> Bool {
    let (caches, distance) = (CacheModel.machine, abs(b.rowStride) * MemoryLayout<S>.size)
    return b.rows * distance <= caches.spansFirst
      || panelBytes(b) <= caches.staysInFirst >> min(6, (distance / 64).trailingZeroBitCount)
  }

  private func panelBytes(_ b: MutableMatrixPointer<S>) -> Int {
    b.rows * kernels.shape.tileColumns * MemoryLayout<S>.size
  }

  /// Panels that are copied and solved together, so that longer pieces of rows are read and written, and L is fetched once
  /// for all: as many as fit a quarter of the second-level cache, or of the first if one alone would stay there.
  private func panelsTogether(_ b: MutableMatrixPointer<S>) -> Int {
    let (caches, bytes) = (CacheModel.machine, panelBytes(b))
    return bytes > caches.staysInFirst
      ? max(4, caches.shareOfSecond / bytes) : max(1, caches.staysInFirst / 2 / bytes)
  }

  private func run(_ panel: PanelCall<S>) {
    if verb == .solve { kernels.solveTriangle(panel) } else { kernels.multiplyTriangle(panel) }
  }

  /// Copies panels to scratch, their rows in the order of memory, and back.
  private func runInScratch(
    _ panel: PanelCall<S>, _ b: MutableMatrixPointer<S>, _ scratch: UnsafeMutablePointer<S>
  ) {
    let (n, width) = (b.rows, kernels.shape.tileColumns)
    let panels = (b.columns + width - 1) / width
    let backwards = b.rowStride < 0
    let memory = backwards ? b.rowsReversed : b
    if b.columns % kernels.shape.lanes != 0 {
      // Lanes that nobody uses must not hold subnormal numbers.
      (scratch + (panels - 1) * n * width).update(repeating: 0, count: n * width)
    }
    kernels.packB(
      memory.base, columns: b.columns, columnStride: b.columnStride, depthStride: memory.rowStride, depth: n,
      to: scratch)
    var part = panel
    part.vectors = (b.columns + kernels.shape.lanes - 1) / kernels.shape.lanes
    (part.x, part.xRow, part.panelStride) = (scratch, width, n * width)
    if backwards { (part.x, part.xRow) = (scratch + (n - 1) * width, -width) }
    run(part)
    unpack(UnsafePointer(scratch), to: memory)
  }

  /// Panels back to where they came from, along the rows if they are contiguous.
  private func unpack(_ panels: UnsafePointer<S>, to b: MutableMatrixPointer<S>) {
    let (n, width) = (b.rows, kernels.shape.tileColumns)
    let step = b.columnStride == 1 ? 16 : n
    for i in stride(from: 0, to: n, by: step) {
      let rows = min(step, n - i)
      for j in stride(from: 0, to: b.columns, by: width) {
        let columns = min(width, b.columns - j)
        kernels.copy(
          MatrixPointer(
            panels + j * n + i * width, rows: rows, columns: columns, rowStride: width, columnStride: 1),
          to: b.block(i, j, rows: rows, columns: columns))
      }
    }
  }
}
