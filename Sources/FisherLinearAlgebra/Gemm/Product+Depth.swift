import FisherRuntime
import KernelTemplates
import Synchronization

// Few rows and columns, and a long k: the k blocks go to the threads. The contract adds their sums in order, so one
// thread adds blocks to C from the front as it computes them; the others begin at the back and keep their sums, which
// are added when all are known.

extension Product {
  /// C in waves of blocks, whose sums fit the last-level cache.
  func runBlocksInParallel(_ blocks: DepthBlocks, _ kernels: any KernelSet<S>.Type, threads: Int) {
    let size = rows * columns
    let wave = min(
      blocks.count, max(2 * threads, CacheModel.machine.shareOfThird / 2 / (size * MemoryLayout<S>.size)))
    ThreadContext.current.withScratch(wave * size, of: S.self) { sums in
      for first in stride(from: 0, to: blocks.count, by: wave) {
        let end = min(first + wave, blocks.count)
        let met = run(first..<end, of: blocks, kernels, sums: sums, threads: threads)
        add(met..<end, sums, kernels, threads: threads)
      }
    }
    if !gemm.epilogue.isIdentity { kernels.finish(gemm.epilogue, gemm.c) }
  }

  /// Computes the blocks from both ends: the first ones into C, the sum of block p to place `range.upperBound - 1 - p`.
  ///
  /// - Returns: the first block whose sum was kept.
  private func run(
    _ range: Range<Int>, of blocks: DepthBlocks, _ kernels: any KernelSet<S>.Type,
    sums: UnsafeMutablePointer<S>, threads: Int
  ) -> Int {
    let claimed = Atomic<Int>(0)
    let kept = Atomic<Int>(0)
    Parallel.perform(min(threads, range.count), threads: threads) { worker in
      var next = range.lowerBound
      while claimed.add(1, ordering: .relaxed).oldValue < range.count {
        if worker == 0 {
          block(next, of: blocks, to: gemm.c, alpha: gemm.alpha, beta: next == 0 ? gemm.beta : 1)
            .runSerially(kernels)
          next += 1
        } else {
          let place = kept.add(1, ordering: .relaxed).oldValue
          block(
            range.upperBound - 1 - place, of: blocks,
            to: MutableMatrixPointer(
              sums + place * rows * columns, rows: rows, columns: columns, rowStride: columns, columnStride: 1
            ), alpha: 1, beta: 0
          ).runSerially(kernels)
        }
      }
    }
    return range.upperBound - kept.load(ordering: .relaxed)
  }

  /// A k block as a product of its own.
  private func block(
    _ p: Int, of blocks: DepthBlocks, to c: MutableMatrixPointer<S>, alpha: S, beta: S
  ) -> Product {
    let (start, k) = (blocks.start(p), blocks.size(p))
    return Product(
      Gemm(
        alpha: alpha, a: gemm.a.block(0, start, rows: rows, columns: k),
        b: gemm.b.block(start, 0, rows: k, columns: columns), beta: beta, c: c), region: region)
  }

  /// Adds the sums that were kept to C, in the order of the blocks.
  private func add(
    _ range: Range<Int>, _ sums: UnsafeMutablePointer<S>, _ kernels: any KernelSet<S>.Type, threads: Int
  ) {
    if range.isEmpty { return }
    let bands = Partition(rows, parts: min(rows, 8 * threads))
    Parallel.perform(bands.parts, threads: threads) { band in
      let (i, height) = (bands.start(band), bands.size(band))
      let c = gemm.c.block(i, 0, rows: height, columns: columns)
      for p in range {
        let sum = sums + ((range.upperBound - 1 - p) * rows + i) * columns
        kernels.addSum(
          sum, stride: columns, to: c, alpha: gemm.alpha, beta: p == 0 ? gemm.beta : 1,
          region: region.block(i, 0))
      }
    }
  }
}
