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
    let isParallel = Parallel.allowance(threads, microseconds: microseconds) > 1
    let oriented = oriented(kernels.shape)
    if isParallel { oriented.runInParallel(kernels, threads: threads) } else { oriented.runSerially(kernels) }
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
    let blocks = DepthBlocks(depth, of: S.self)
    if rows * columns <= 256 * 256 && blocks.count >= 4 * threads {
      return runBlocksInParallel(blocks, kernels, threads: threads)
    }
    if isPackedOnce(threads: threads) { return runPackedOnce(kernels, threads: threads) }
    if sharesColumns(kernels.shape) { return runShared(kernels, threads: threads) }
    let parts = parts(kernels.shape, threads: threads)
    Parallel.perform(parts.count, threads: threads) { task in
      let part = parts[task]
      block(part.row, part.column, rows: part.rows, columns: part.columns).runSerially(kernels)
    }
  }

  /// Parts of C for threads to take one by one.
  ///
  /// - Parameter isShared: parts pack rows of A alone.
  func parts(_ shape: TileShape, isShared: Bool = false, threads: Int) -> [ProductPart] {
    ProductParts(
      rows: rows, columns: columns, in: region, tile: (shape.tileRows, shape.tileColumns),
      longest: isShared ? 4 : 1, threads: threads
    ).parts
  }
}
