import FisherRuntime
import KernelTemplates

/// How the product of two matrices with contiguous rows is computed on this machine, in words.
package struct ProductPlan {
  /// What is decided, and why, in the order in which it is decided.
  package private(set) var lines: [(subject: String, decision: String)] = []

  /// - Parameters:
  ///   - m: rows of C, at least 1.
  ///   - n: columns of C, at least 1.
  ///   - k: columns of A, at least 1.
  ///   - threads: at most so many.
  package init<S: KernelScalar>(
    _ m: Int, _ n: Int, _ k: Int, _: S.Type, on instructionSet: InstructionSet, threads: Int
  ) {
    let kernels = S._kernels(instructionSet)
    let shape = kernels.shape
    add("kernels", "\(instructionSet.rawValue), tiles of \(shape.tileRows) × \(shape.tileColumns)")
    // Shapes and strides decide; no element is read.
    let memory = UnsafeMutablePointer<S>.allocate(capacity: 1)
    defer { memory.deallocate() }
    func matrix(_ rows: Int, _ columns: Int) -> MutableMatrixPointer<S> {
      MutableMatrixPointer(memory, rows: rows, columns: columns, rowStride: columns, columnStride: 1)
    }
    let gemm = Gemm<S>(
      alpha: 1, a: matrix(m, k).readOnly, b: matrix(k, n).readOnly, beta: 0, c: matrix(m, n))
    if gemm.isSmall {
      add(
        "path",
        "tiles in one loop, nothing planned: each operand fits \(Self.text(CacheModel.machine.fitsFirst))")
      return
    }
    explain(Product(gemm).oriented(shape), kernels, threads)
  }

  private mutating func explain<S: KernelScalar>(
    _ product: Product<S>, _ kernels: any KernelSet<S>.Type, _ threads: Int
  ) {
    let shape = kernels.shape
    let blocks = DepthBlocks(product.depth, of: S.self)
    add(
      "k",
      blocks.count == 1
        ? "one chain of \(blocks.length) steps"
        : "\(blocks.count) blocks of \(blocks.length) steps, added in order (part of the numerical contract)")
    if product.gemm.b.columnStride != 1 {
      add(
        "orientation", "Cᵀ = Bᵀ·Aᵀ: \(product.rows) × \(product.columns), the longer side along the vectors")
    }
    var part = product
    if Parallel.allowance(threads, microseconds: product.microseconds) > 1 {
      let parts = product.parts(shape, threads: threads)
      let last = parts[parts.count - 1]
      part = product.block(0, 0, rows: parts[0].rows, columns: parts[0].columns)
      add(
        "threads",
        "\(parts.count) parts of C, from \(part.rows) × \(part.columns) to \(last.rows) × \(last.columns), on \(threads) threads"
      )
    } else {
      add("threads", "1: more would wait for each other longer than they work, or no more are allowed")
    }
    if part.isLockstep(shape) {
      add("path", "at most 4 rows and one vector of columns: the blocks of k side by side")
    } else if part.gemm.isMatrixVector(kernels) {
      add("path", "a matrix times a vector: rows are the lanes, by squares that are transposed in registers")
    } else if part.isThin(shape) {
      let rows = part.thinSteps(shape)
      add(
        "path",
        "at most \(Product<S>.thinRows(shape)) rows, B exceeds the second level (\(Self.text(CacheModel.machine.second))) and the third is far: \(rows) of its rows at a time, from end to end"
      )
    } else {
      explain(BlockingPlan(part, shape), part)
    }
  }

  private mutating func explain<S: KernelScalar>(_ plan: BlockingPlan, _ product: Product<S>) {
    let (caches, size, k) = (CacheModel.machine, MemoryLayout<S>.size, plan.blocks.length)
    let rows = plan.rows(0).count
    add(
      "A",
      plan.packsA
        ? "packed, \(rows) rows at a time (\(Self.text(rows * k * size)); at most \(Self.text(caches.blockOfA)) of the second level)"
        : plan.rowParts > 1
          ? "read where it lies, \(rows) rows at a time (\(Self.text(rows * k * size)) of the second level)"
          : "read where it lies: \(Self.text(rows * k * size)), by few tiles of columns or from the cache")
    let columns = plan.columnCount(0)
    let share = "\(columns) columns at a time (\(Self.text(columns * k * size)))"
    add(
      "B",
      plan.packsOnTheWay
        ? "packed by the first rows' tiles, \(share)"
        : plan.packsB ? "packed before it is read, \(share)" : "read where it lies, \(share)")
    add(
      "order",
      plan.kernel.isRowMajor
        ? "rows outermost: \(k) × \(columns) of B stay in the first level (\(Self.text(caches.staysInFirst))), or k is short"
        : "columns outermost: a panel of B stays in the first level, A comes from the second")
    if plan.kernel.prefetchesB {
      add("prefetch", "B is longer than \(Self.text(caches.shareOfThird)) and fetched ahead")
    }
  }

  private mutating func add(_ subject: String, _ decision: String) { lines.append((subject, decision)) }

  private static func text(_ bytes: Int) -> String { "\((bytes + 1023) >> 10) KiB" }
}
