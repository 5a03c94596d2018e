public import FisherRuntime
import KernelTemplates

/// The Cholesky factors of many symmetric positive definite matrices of one order, kept side by side in the lanes of
/// vectors between the factorization and any number of solutions.
///
///     var factors = BatchedCholesky<Float>(count: blocks.count, order: blocks.order)
///     let outcome = factors.factor(blocks, damping: .absolute(λ))
///     factors.solve(&right)
public struct BatchedCholesky<Scalar: KernelScalar>: Sendable {
  /// L, lower triangles.
  private var factors: InterleavedBatch<Scalar>
  /// log det of each matrix; NaN where the last factorization failed and 0 before the first.
  public private(set) var logDeterminants: [Scalar]

  /// The factors of `count` identity matrices.
  public init(count: Int, order: Int, instructionSet: InstructionSet = .best) {
    factors = InterleavedBatch(
      count: count, order: order, storage: .symmetric, instructionSet: instructionSet)
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

  /// Makes the factors of (matrix + damping); the bits are those of ``MatrixStack/factorCholesky(damping:on:threads:)``.
  ///
  /// - Returns: which matrices are not positive definite. Their former factors stay.
  @discardableResult
  @specialized(where Scalar == Float) @specialized(where Scalar == Double)
  public mutating func factor(
    _ matrices: InterleavedBatch<Scalar>, damping: Damping<Scalar> = .none,
    threads: Int = Threads.available
  ) -> BatchOutcome {
    requireThreads(threads, "factor")
    factors.requireSameShape(matrices, "factor")
    let (absolute, relative) = damping.checkedParts("factor")
    let (n, count, kernels) = (order, count, Scalar._kernels(factors.instructionSet))
    if n == 0 || count == 0 { return .complete }
    return matrices.withReadOnlyLanes { source in
      factors.withLanes { target in
        logDeterminants.withUnsafeMutableBufferPointer { logDeterminants in
          ThreadContext.current.withScratch(count, of: Int32.self) { outcomes in
            LaneTransform(
              operation: .choleskyFactor, order: n, count: count, source: source, target: target,
              absolute: absolute, relative: relative, logDeterminants: logDeterminants.baseAddress!,
              outcomes: outcomes
            ).perform(kernels, threads: threads)
            return BatchOutcome(UnsafeBufferPointer(start: outcomes, count: count))
          }
        }
      }
    }
  }

  /// Replaces each right-hand side B by X, L·Lᵀ·X = B; the bits are those of ``MatrixStack/solveCholesky(_:on:threads:)``.
  ///
  /// - Parameters:
  ///   - right: as many matrices as there are factors, n×m each, for the same instruction set.
  ///   - threads: the most threads to use, at least 1.
  @specialized(where Scalar == Float) @specialized(where Scalar == Double)
  public func solve(_ right: inout InterleavedBatch<Scalar>, threads: Int = Threads.available) {
    requireThreads(threads, "solve")
    require(
      right.count == count && right.rows == order && right.storage == .full
        && right.instructionSet == factors.instructionSet,
      """
      solve: there are \(count) factors of order \(order) for \(factors.instructionSet) and \(right.count) \
      right-hand sides of \(right.rows)×\(right.columns) for \(right.instructionSet); all must agree
      """)
    let m = right.columns
    right.withLanes { solve($0, columns: m, threads) }
  }

  /// Replaces each right-hand side B by X, L·Lᵀ·X = B.
  ///
  /// - Parameters:
  ///   - right: as many matrices as there are factors, n×m each.
  ///   - threads: the most threads to use, at least 1.
  @specialized(where Scalar == Float) @specialized(where Scalar == Double)
  public func solve(_ right: inout MatrixStack<Scalar>, threads: Int = Threads.available) {
    requireThreads(threads, "solve")
    require(
      right.count == count && right.rows == order,
      """
      solve: there are \(count) factors of order \(order) and \(right.count) right-hand sides of \
      \(right.rows)×\(right.columns); counts and rows must agree
      """)
    if count == 0 { return }
    let m = right.columns
    right.withMutableFirst { first, stride, _ in
      solve(LaneMatrices(first, stride: stride), columns: m, threads)
    }
  }

  @inline(__always)
  private func solve(_ right: LaneMatrices<Scalar>, columns: Int, _ threads: Int) {
    if order == 0 || columns == 0 || count == 0 { return }
    factors.withReadOnlyLanes { factor in
      LaneSolve(order: order, columns: columns, count: count, factor: factor, right: right)
        .perform(Scalar._kernels(factors.instructionSet), threads: threads)
    }
  }
}
