import FisherRuntime
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
    if Parallel.allowance(threads, microseconds: microseconds) > 1 {
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
      return runBlocksInParallel(blocks, kernels, threads: threads)
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

  /// Cuts C into near squares, none smaller than a few tiles: two parts a thread for two threads, four for many, of which
  /// one is more likely to come late.
  func grid(_ shape: TileShape, threads: Int) -> (rows: Partition, columns: Partition) {
    let most = (rows: max(1, rows / (3 * shape.tileRows)), columns: max(1, columns / (2 * shape.tileColumns)))
    var (r, c) = (1, 1)
    // Sides are halved, so that two threads do not share three parts.
    while r * c < min(4, threads) * threads && (2 * r <= most.rows || 2 * c <= most.columns) {
      let splitRows = 2 * c > most.columns || (2 * r <= most.rows && rows / r >= columns / c)
      if splitRows { r *= 2 } else { c *= 2 }
    }
    if r * c < threads { (r, c) = most }
    return (Partition(rows, parts: r), Partition(columns, parts: c))
  }
}
