import KernelTemplates

extension Gemm where Scalar: KernelScalar {
  /// Each operand fits the first-level cache and lies as the micro-kernel wants it, so that planning would cost more
  /// than it brings: a product of a few dozen nanoseconds.
  @inline(__always)
  var isSmall: Bool {
    let (m, n, k) = (c.rows, c.columns, a.columns)
    let most = (32 << 10) / MemoryLayout<Scalar>.size
    // Fewer than half a vector of columns is better turned around, unless there are as few rows.
    return b.columnStride == 1 && c.columnStride == 1 && (n >= 8 || m <= n) && k > 0 && k <= DepthBlocks.limit
      && k &* n <= most && m &* k <= most && m &* n <= most && m > 0 && n > 0 && alpha != 0
      && epilogue.isIdentity
  }
}
