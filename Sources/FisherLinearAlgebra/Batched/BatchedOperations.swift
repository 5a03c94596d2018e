/// Operations on many small matrices in one call, and on several groups of such matrices of different orders.
///
/// What a backend does not have it gets by the definition, in double precision, one matrix after the other.
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

  /// Matrices ← averages with outer products; see ``BatchedOuterProducts``.
  func addOuterProducts<S: KernelScalar>(_ call: BatchedOuterProducts<S>, threads: Int)

  /// Vectors ← products; see ``BatchedProducts``.
  func multiply<S: KernelScalar>(_ call: BatchedProducts<S>, threads: Int)

  /// Copies `count` matrices from one form into another; only lower triangles if one of the two has no more.
  func copy<S: KernelScalar>(_ source: BatchOperand<S>, to target: BatchOperand<S>, count: Int, threads: Int)
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

  public func addOuterProducts<S: KernelScalar>(_ call: BatchedOuterProducts<S>, threads: Int) {
    ReferenceBackend().addOuterProducts(call, threads: threads)
  }

  public func multiply<S: KernelScalar>(_ call: BatchedProducts<S>, threads: Int) {
    ReferenceBackend().multiply(call, threads: threads)
  }

  public func copy<S: KernelScalar>(
    _ source: BatchOperand<S>, to target: BatchOperand<S>, count: Int, threads: Int
  ) { ReferenceBackend().copy(source, to: target, count: count, threads: threads) }
}
