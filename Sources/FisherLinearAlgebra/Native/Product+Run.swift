import KernelTemplates

extension Product {
  /// Runs the product with at most `threads` threads. Any shape, any strides.
  func run(_ kernels: any KernelSet<S>.Type, threads: Int) {
    if rows == 0 || columns == 0 { return }
    if depth == 0 || gemm.alpha == 0 {
      kernels.scale(gemm.c, gemm.beta, region)
      if !gemm.epilogue.isIdentity { kernels.finish(gemm.epilogue, gemm.c) }
      return
    }
    let oriented = oriented(kernels.shape)
    if threads > 1 && isWorthThreads && Parallel.allowance(threads) > 1 {
      oriented.runInParallel(kernels, threads: threads)
    } else {
      oriented.runSerially(kernels)
    }
  }

  /// Chooses which side of C runs along the vectors: the contiguous one, unless it is so short that most lanes would
  /// stay empty. The sums and their order are the same either way.
  func oriented(_ shape: TileShape) -> Product {
    var product = self
    // A side of length 1 is contiguous whatever its stride says.
    if product.columns == 1 {
      product.gemm.c.columnStride = 1
      product.gemm.b.columnStride = 1
    }
    if product.rows == 1 {
      product.gemm.c.rowStride = 1
      product.gemm.a.rowStride = 1
    }
    let (m, n, half) = (product.rows, product.columns, shape.lanes / 2)
    if product.gemm.c.columnStride == 1 {
      return n < half && m > n ? product.transposed : product
    }
    if product.gemm.c.rowStride == 1 {
      return m < half && n > m ? product : product.transposed
    }
    return m > n ? product.transposed : product
  }

  /// Independent parts of C, each computed by one thread with its own packed operands; or, if C is small and k long,
  /// independent blocks of k.
  private func runInParallel(_ kernels: any KernelSet<S>.Type, threads: Int) {
    let blocks = DepthBlocks(depth)
    if rows * columns <= 256 * 256 && blocks.count >= 4 * threads {
      runBlocksInParallel(blocks, kernels, threads: threads)
      return
    }
    let (rowParts, columnParts) = grid(kernels.shape, threads: threads)
    Parallel.perform(rowParts.parts * columnParts.parts, threads: threads) { task in
      let (r, c) = (task / columnParts.parts, task % columnParts.parts)
      let (i, j) = (rowParts.start(r), columnParts.start(c))
      let (rows, columns) = (rowParts.size(r), columnParts.size(c))
      if region.overlap(i, j, rows: rows, columns: columns) == .none { return }
      block(i, j, rows: rows, columns: columns).runSerially(kernels)
    }
  }

  /// Cuts C into about four parts a thread, near squares, none smaller than a few tiles.
  private func grid(_ shape: TileShape, threads: Int) -> (rows: Partition, columns: Partition) {
    let wanted = 2 * threads
    let most = (rows: max(1, rows / (4 * shape.tileRows)), columns: max(1, columns / (2 * shape.tileColumns)))
    var (r, c) = (1, 1)
    while r * c < wanted && (r < most.rows || c < most.columns) {
      let splitRows = c >= most.columns || (r < most.rows && rows / r >= columns / c)
      if splitRows { r = min(most.rows, 2 * r) } else { c = min(most.columns, 2 * c) }
    }
    return (Partition(rows, parts: r), Partition(columns, parts: c))
  }

  /// Splits k: every block's sum is formed on its own, then all are added in order, as a single thread would.
  private func runBlocksInParallel(_ blocks: DepthBlocks, _ kernels: any KernelSet<S>.Type, threads: Int) {
    let size = rows * columns
    let wave = min(blocks.count, max(2 * threads, (4 << 20) / (size * MemoryLayout<S>.size)))
    ThreadContext.current.withScratch(wave * size, of: S.self) { sums in
      var first = 0
      while first < blocks.count {
        let count = min(wave, blocks.count - first)
        let start = first
        // A few runs of consecutive blocks a thread, so that each reads its own stretch of memory.
        let runs = Partition(count, parts: min(count, 4 * threads))
        Parallel.perform(runs.parts, threads: threads) { run in
          for p in runs.start(run)..<runs.start(run) + runs.size(run) {
            blockSum(blocks, start + p, into: sums + p * size).runSerially(kernels)
          }
        }
        let bands = Partition(rows, parts: min(rows, threads))
        Parallel.perform(bands.parts, threads: threads) { band in
          let (i, height) = (bands.start(band), bands.size(band))
          let c = gemm.c.block(i, 0, rows: height, columns: columns)
          for p in 0..<count {
            kernels.addSum(
              sums + (p * size + i * columns), stride: columns, to: c, alpha: gemm.alpha,
              beta: start + p == 0 ? gemm.beta : 1, region: region.block(i, 0))
          }
        }
        first += count
      }
    }
    if !gemm.epilogue.isIdentity { kernels.finish(gemm.epilogue, gemm.c) }
  }

  /// The sum of one k block alone, as a product of its own.
  private func blockSum(_ blocks: DepthBlocks, _ p: Int, into target: UnsafeMutablePointer<S>) -> Product {
    let k = blocks.size(p)
    return Product(
      Gemm(
        alpha: 1, a: gemm.a.block(0, blocks.start(p), rows: rows, columns: k),
        b: gemm.b.block(blocks.start(p), 0, rows: k, columns: columns), beta: 0,
        c: MutableMatrixPointer(target, rows: rows, columns: columns, rowStride: columns, columnStride: 1)),
      region: region)
  }
}
