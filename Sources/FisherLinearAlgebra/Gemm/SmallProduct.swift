import FisherRuntime
import KernelTemplates

// Products of a few dozen nanoseconds, for which planning would cost more than it brings.

extension Gemm where Scalar: KernelScalar {
  /// Elements of an operand that fits the first-level cache beside the others.
  @inline(__always)
  static var mostElements: Int { CacheModel.machine.fitsFirst / MemoryLayout<Scalar>.size }

  /// Multiply-adds of a vector that take as long as the plan of a product.
  @inline(__always)
  static var stepsOfPlan: Int { 2048 }

  /// Each operand fits the first-level cache, and rows of C lie as the micro-kernel wants them.
  @inline(__always)
  var isSmall: Bool {
    let (m, n, k) = (c.rows, c.columns, a.columns)
    let most = Self.mostElements
    // Fewer than half a vector of columns is better turned around, unless the rows are so few, or so short a work at a
    // vector each, that the plan for it would take longer.
    let isWide = n >= 8 || m <= n || m &* k <= Self.stepsOfPlan
    return c.columnStride == 1 && isWide && k > 0 && k <= DepthBlocks.limit(Scalar.self) && k &* n <= most
      && m &* k <= most && m &* n <= most && m > 0 && n > 0 && alpha != 0 && epilogue.isIdentity
  }

  /// Runs the product, small or not. Changes nothing: a variable has an address, where a value would be copied to get one,
  /// and what has just been copied is waited for.
  @inline(__always)
  mutating func run(_ kernels: any KernelSet<Scalar>.Type, threads: Int) {
    if isSmall { runSmall(kernels) } else { Product(self).run(kernels, threads: threads) }
  }

  /// Runs the product on the calling thread. A transposed B is packed into scratch.
  @inline(__always)
  mutating func runSmall(_ kernels: any KernelSet<Scalar>.Type) {
    withUnsafeMutablePointer(to: &self) { UnsafePointer($0).runSmall(kernels) }
  }
}

extension UnsafePointer {
  /// Runs the product if it is small, or its transpose if columns of C are contiguous.
  ///
  /// - Returns: false if nothing was done.
  @inline(__always)
  func runIfSmall<S: KernelScalar>(_ kernels: any KernelSet<S>.Type) -> Bool where Pointee == Gemm<S> {
    if pointee.isSmall {
      runSmall(kernels)
      return true
    }
    if pointee.c.columnStride == 1 || pointee.c.rowStride != 1 { return false }
    var turned = pointee.transposed
    let isSmall = turned.isSmall
    if isSmall { turned.runSmall(kernels) }
    return isSmall
  }

  /// The product, if it is small. A transposed B is packed into scratch.
  @inline(__always)
  func runSmall<S: KernelScalar>(_ kernels: any KernelSet<S>.Type) where Pointee == Gemm<S> {
    if pointee.b.columnStride == 1 { return kernels.multiplySmall(self, scratch: nil) }
    if pointee.isMatrixVector(kernels) {
      return ThreadContext.current.withScratch(pointee.c.columns + pointee.a.columns, of: S.self) {
        pointee.multiplyInOrder(kernels, $0)
      }
    }
    // A row of at most 128 bytes more is enough for every unit.
    let columns = pointee.b.columns + 128 / MemoryLayout<S>.size
    ThreadContext.current.withScratch(columns * pointee.b.rows, of: S.self) { scratch in
      kernels.multiplySmall(self, scratch: scratch)
    }
  }
}

extension Syrk where Scalar: KernelScalar {
  /// So few rows that all of A·Aᵀ costs less than a plan for half of it.
  @inline(__always)
  var isSmall: Bool {
    let (n, k) = (a.rows, a.columns)
    return n > 0 && n <= 32 && k > 0 && k <= DepthBlocks.limit(Scalar.self)
      && n &* k <= Gemm<Scalar>.mostElements
      && alpha != 0
  }

  /// One triangle of the full product, if it is small.
  func runSmall(_ kernels: any KernelSet<Scalar>.Type) {
    let n = c.rows
    ThreadContext.current.withScratch(n * n, of: Scalar.self) { full in
      let whole = MutableMatrixPointer(full, rows: n, columns: n, rowStride: n, columnStride: 1)
      var product = Gemm(alpha: 1, a: a, b: a.transposed, beta: 0, c: whole)
      product.runSmall(kernels)
      kernels.addSum(
        full, stride: n, to: c, alpha: alpha, beta: beta, region: Region(triangle))
    }
  }
}
