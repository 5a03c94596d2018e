import FisherRuntime
import KernelTemplates

// Few rows and the transpose of B, as the forward pass of a layer has it: to lay B's columns along the vectors, all of B
// would be transposed for them. Instead Cᵀ = Bᵀ·Aᵀ is formed, for which Bᵀ is read where it lies, in as many streams as a tile
// has rows, and the few elements of C are transposed. The sums and their order are the same.

extension Product {
  /// Whether forming Cᵀ costs less than packing B.
  func isTurned(_ shape: TileShape) -> Bool {
    guard case .all = region, gemm.c.columnStride == 1, gemm.b.rowStride == 1, gemm.b.columnStride != 1 else {
      return false
    }
    // Two narrow panels of rows read Bᵀ twice, from the second level, and that still costs less.
    return rows <= max(shape.tileColumns, 16) && columns >= 4 * shape.tileRows && depth > BlockPlan.fewSteps
  }

  /// Runs a product that ``isTurned(_:)`` on the calling thread.
  func runTurned(_ kernels: any KernelSet<S>.Type) {
    let parts = Partition(
      columns,
      limit: max(kernels.shape.tileRows, CacheModel.machine.shareOfSecond / (rows * MemoryLayout<S>.size)))
    ThreadContext.current.withScratch(rows * parts.size(0), of: S.self) { scratch in
      for part in 0..<parts.parts {
        var turned = block(0, parts.start(part), rows: rows, columns: parts.size(part)).transposed
        let c = turned.gemm.c
        turned.gemm.c = MutableMatrixPointer(
          scratch, rows: c.rows, columns: rows, rowStride: rows, columnStride: 1)
        if gemm.beta != 0 { kernels.copy(c.readOnly, to: turned.gemm.c) }
        turned.runBlocked(kernels)
        kernels.copy(turned.gemm.c.readOnly, to: c)
      }
    }
  }
}
