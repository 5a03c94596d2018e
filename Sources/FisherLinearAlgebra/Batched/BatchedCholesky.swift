import FisherRuntime

/// A = L·Lᵀ for many symmetric positive definite matrices of one order: ``Cholesky`` for each of them.
///
/// The factors are kept interleaved between the factorization and any number of solutions. A matrix that is not positive
/// definite disturbs no other: its factor is the former one, at first that of the identity.
///
///     var factors = BatchedCholesky(blocks, damping: .absolute(λ))
///     print(factors.outcome.failures)
///     factors.solve(&right)
public struct BatchedCholesky<Scalar: KernelScalar>: Sendable {
  /// L, lower triangles.
  private var factors: InterleavedBatch<Scalar>
  /// log det of each damped matrix; NaN where the last factorization failed.
  public private(set) var logDeterminants: [Scalar]
  /// Which matrices of the last factorization are not positive definite.
  public private(set) var outcome = BatchOutcome.complete

  /// Factors each (matrix + damping). n³/3 flops a matrix; see `refactorize`.
  public init(
    _ matrices: MatrixStack<Scalar>, damping: Damping<Scalar> = .none,
    on backend: any Backend = NativeBackend(), threads: Int = Threads.available
  ) {
    self.init(identities: matrices.count, matrices.rows)
    refactorize(matrices, damping: damping, on: backend, threads: threads)
  }

  /// Factors each (matrix + damping). n³/3 flops a matrix.
  public init(
    _ matrices: InterleavedBatch<Scalar>, damping: Damping<Scalar> = .none,
    on backend: any Backend = NativeBackend(), threads: Int = Threads.available
  ) {
    self.init(identities: matrices.count, matrices.order)
    refactorize(matrices, damping: damping, on: backend, threads: threads)
  }

  private init(identities count: Int, _ order: Int) {
    factors = InterleavedBatch(count: count, order: order, storage: .symmetric)
    logDeterminants = [Scalar](repeating: 0, count: count)
  }

  /// The number of factors.
  public var count: Int { factors.count }
  /// n, the rows and columns of each.
  public var order: Int { factors.rows }

  /// L of matrix `i`, with zeros above the diagonal.
  public subscript(i: Int) -> Matrix<Scalar> {
    let mirrored = factors[i]
    return Matrix(rows: order, columns: order) { r, c in r >= c ? mirrored[r, c] : 0 }
  }

  /// Factors other matrices of the same shape, each with the damping on its diagonal, in the same memory.
  ///
  /// Only the lower triangles are read. A matrix has the same bits alone and among any others.
  ///
  /// - Parameters:
  ///   - matrices: as many as there are factors, n×n each.
  ///   - damping: what is added to the diagonal first.
  ///   - backend: what computes it.
  ///   - threads: the most threads to use, at least 1.
  /// - Returns: which matrices are not positive definite. Their former factors stay.
  @discardableResult
  @specialized(where Scalar == Float) @specialized(where Scalar == Double)
  public mutating func refactorize(
    _ matrices: MatrixStack<Scalar>, damping: Damping<Scalar> = .none,
    on backend: any Backend = NativeBackend(), threads: Int = Threads.available
  ) -> BatchOutcome {
    requireShape(matrices.count, matrices.rows, matrices.columns)
    let stride = matrices.stride
    return matrices.withFirst {
      refactorize(BatchOperand(reading: $0, stride: stride), damping, backend, threads)
    }
  }

  /// Factors other matrices of the same shape; see `refactorize`.
  @discardableResult
  @specialized(where Scalar == Float) @specialized(where Scalar == Double)
  public mutating func refactorize(
    _ matrices: InterleavedBatch<Scalar>, damping: Damping<Scalar> = .none,
    on backend: any Backend = NativeBackend(), threads: Int = Threads.available
  ) -> BatchOutcome {
    requireShape(matrices.count, matrices.rows, matrices.columns)
    return matrices.withReadOnlyOperand { refactorize($0, damping, backend, threads) }
  }

  @inline(__always)
  private mutating func refactorize(
    _ source: BatchOperand<Scalar>, _ damping: Damping<Scalar>, _ backend: any Backend, _ threads: Int
  ) -> BatchOutcome {
    requireThreads(threads, "BatchedCholesky")
    let (absolute, relative) = damping.checkedParts("BatchedCholesky")
    let count = count
    if count == 0 || order == 0 { return .complete }
    outcome = factors.withOperand { target in
      logDeterminants.withUnsafeMutableBufferPointer { logDeterminants in
        ThreadContext.current.withScratch(count, of: Int32.self) { outcomes in
          backend.factorCholesky(
            BatchedMatrices(
              source: source, target: target, count: count, absolute: absolute, relative: relative,
              logDeterminants: logDeterminants.baseAddress!, outcomes: outcomes), threads: threads)
          return BatchOutcome(UnsafeBufferPointer(start: outcomes, count: count))
        }
      }
    }
    return outcome
  }

  private func requireShape(_ count: Int, _ rows: Int, _ columns: Int) {
    require(
      count == self.count && rows == order && columns == order,
      """
      BatchedCholesky: there are \(count) matrices of \(rows)×\(columns) for \(self.count) factors of \
      \(order)×\(order); all must agree
      """)
  }

  /// Replaces each right-hand side B by X, A·X = B. 2n²·m flops for m columns.
  ///
  /// - Parameters:
  ///   - right: as many matrices as there are factors, n×m each.
  ///   - backend: what computes it.
  ///   - threads: the most threads to use, at least 1.
  @specialized(where Scalar == Float) @specialized(where Scalar == Double)
  public func solve(
    _ right: inout MatrixStack<Scalar>, on backend: any Backend = NativeBackend(),
    threads: Int = Threads.available
  ) {
    requireRight(right.count, right.rows, right.columns, threads)
    right.withMutableFirst { first, stride, _ in
      solve(BatchOperand(first, stride: stride), backend, threads)
    }
  }

  /// Replaces each right-hand side B by X, A·X = B; they must be kept in full.
  @specialized(where Scalar == Float) @specialized(where Scalar == Double)
  public func solve(
    _ right: inout InterleavedBatch<Scalar>, on backend: any Backend = NativeBackend(),
    threads: Int = Threads.available
  ) {
    requireRight(right.count, right.rows, right.columns, threads)
    require(
      right.storage == .full, "BatchedCholesky: right-hand sides must be kept in full, not as triangles")
    right.withOperand { solve($0, backend, threads) }
  }

  /// The X with A·X = B for each right-hand side B, n×m.
  public func solving(
    _ right: MatrixStack<Scalar>, on backend: any Backend = NativeBackend(), threads: Int = Threads.available
  ) -> MatrixStack<Scalar> {
    var x = right
    solve(&x, on: backend, threads: threads)
    return x
  }

  private func requireRight(_ count: Int, _ rows: Int, _ columns: Int, _ threads: Int) {
    requireThreads(threads, "BatchedCholesky")
    require(
      count == self.count && rows == order,
      """
      BatchedCholesky: there are \(self.count) factors of order \(order) and \(count) right-hand sides of \
      \(rows)×\(columns); counts and rows must agree
      """)
  }

  @inline(__always)
  private func solve(_ right: BatchOperand<Scalar>, _ backend: any Backend, _ threads: Int) {
    if order == 0 || right.columns == 0 || count == 0 { return }
    factors.withReadOnlyOperand {
      backend.solveCholesky(BatchedSolve(factor: $0, right: right, count: count), threads: threads)
    }
  }
}
