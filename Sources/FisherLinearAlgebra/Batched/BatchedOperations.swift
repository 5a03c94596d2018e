import KernelTemplates

/// Operations on many small matrices in one call, and on several groups of such matrices of different orders.
public protocol BatchedOperations {
  /// Targets ← the inverses of symmetric positive definite matrices; see ``BatchedMatrices``.
  func invertPositiveDefinite<S: KernelScalar>(
    _ calls: UnsafeBufferPointer<BatchedMatrices<S>>, threads: Int)

  /// Targets ← their Cholesky factors L, A = L·Lᵀ, with zeros above the diagonal.
  func factorCholesky<S: KernelScalar>(_ calls: UnsafeBufferPointer<BatchedMatrices<S>>, threads: Int)

  /// Targets ← the inverses of any matrices, by elimination with partial pivoting. All elements of the sources are read.
  ///
  /// The outcome is the first pivot that is 0 or NaN. Which one a NaN in the matrix comes to is not said.
  func invertGeneral<S: KernelScalar>(_ calls: UnsafeBufferPointer<BatchedMatrices<S>>, threads: Int)

  /// Right-hand sides ← solutions; see ``BatchedSolve``.
  func solveCholesky<S: KernelScalar>(_ call: BatchedSolve<S>, threads: Int)
}

extension BatchedOperations {
  /// One group of matrices.
  @inline(__always)
  public func invertPositiveDefinite<S: KernelScalar>(_ call: BatchedMatrices<S>, threads: Int) {
    call.asGroup { invertPositiveDefinite($0, threads: threads) }
  }

  /// One group of matrices.
  @inline(__always)
  public func factorCholesky<S: KernelScalar>(_ call: BatchedMatrices<S>, threads: Int) {
    call.asGroup { factorCholesky($0, threads: threads) }
  }

  /// One group of matrices.
  @inline(__always)
  public func invertGeneral<S: KernelScalar>(_ call: BatchedMatrices<S>, threads: Int) {
    call.asGroup { invertGeneral($0, threads: threads) }
  }
}

// By the definition, one after the other: what a backend without kernels of its own does.
extension BatchedOperations {
  public func invertPositiveDefinite<S: KernelScalar>(
    _ calls: UnsafeBufferPointer<BatchedMatrices<S>>, threads: Int
  ) { ReferenceBackend().invertPositiveDefinite(calls, threads: threads) }

  public func factorCholesky<S: KernelScalar>(
    _ calls: UnsafeBufferPointer<BatchedMatrices<S>>, threads: Int
  ) { ReferenceBackend().factorCholesky(calls, threads: threads) }

  public func invertGeneral<S: KernelScalar>(
    _ calls: UnsafeBufferPointer<BatchedMatrices<S>>, threads: Int
  ) { ReferenceBackend().invertGeneral(calls, threads: threads) }

  public func solveCholesky<S: KernelScalar>(_ call: BatchedSolve<S>, threads: Int) {
    ReferenceBackend().solveCholesky(call, threads: threads)
  }
}
