import FisherRuntime
import KernelTemplates

// A·x: one row of C and the transpose of B. In tiles, one lane of a vector would be of use; packed, every element of B would
// be written for a single FMA.

extension Gemm where Scalar: KernelScalar {
  /// One row of C, columns of B that are contiguous, and enough of them for two vectors.
  @inline(__always)
  func isMatrixVector(_ kernels: any KernelSet<Scalar>.Type) -> Bool {
    c.rows == 1 && b.rowStride == 1 && b.columnStride != 1 && c.columns >= 2 * kernels.shape.lanes
  }

  /// C ← α·A·B + β·C for such a product and one of the contract's blocks.
  ///
  /// - Parameter scratch: as many elements as C and A have together.
  @inline(__always)
  func multiplyInOrder(_ kernels: any KernelSet<Scalar>.Type, _ scratch: UnsafeMutablePointer<Scalar>) {
    let (n, k) = (c.columns, a.columns)
    var x = a.base
    if a.columnStride != 1 {
      kernels.copy(
        a, to: MutableMatrixPointer(scratch + n, rows: 1, columns: k, rowStride: k, columnStride: 1))
      x = UnsafePointer(scratch + n)
    }
    let isCopy = alpha == 1 && beta == 0 && c.columnStride == 1
    kernels.multiplyInOrder(
      RowChainCall(
        rows: n, depth: k, a: b.base, rowStride: b.columnStride, x: x, y: isCopy ? c.base : scratch,
        fetchesA: n * abs(b.columnStride) * MemoryLayout<Scalar>.size > CacheModel.machine.second))
    if isCopy { return }
    kernels.addSum(scratch, stride: n, to: c, alpha: alpha, beta: beta, region: .all)
  }
}

extension Product {
  /// Runs a matrix-vector product on the calling thread, block by block of k.
  func runMatrixVector(_ kernels: any KernelSet<S>.Type) {
    let blocks = DepthBlocks(depth, of: S.self)
    let parts = Partition(
      columns, limit: max(4 * kernels.shape.lanes, CacheModel.machine.shareOfSecond / MemoryLayout<S>.size))
    ThreadContext.current.withScratch(parts.size(0) + blocks.length, of: S.self) { scratch in
      for p in 0..<blocks.count {
        let a = gemm.a.block(0, blocks.start(p), rows: 1, columns: blocks.size(p))
        for part in 0..<parts.parts {
          let (j, count) = (parts.start(part), parts.size(part))
          Gemm(
            alpha: gemm.alpha, a: a, b: gemm.b.block(blocks.start(p), j, rows: a.columns, columns: count),
            beta: p == 0 ? gemm.beta : 1, c: gemm.c.block(0, j, rows: 1, columns: count)
          ).multiplyInOrder(kernels, scratch)
        }
      }
    }
    if !gemm.epilogue.isIdentity { kernels.finish(gemm.epilogue, gemm.c) }
  }
}
