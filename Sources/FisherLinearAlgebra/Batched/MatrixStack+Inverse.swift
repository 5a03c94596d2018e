import FisherRuntime
public import KernelTemplates

extension MatrixStack {
  /// Replaces each matrix by the inverse of (itself + damping), all being symmetric positive definite.
  ///
  /// Thousands of small matrices at once, one in each lane of a vector. n³ flops a matrix. A matrix has the same bits
  /// alone and among any others.
  ///
  ///     var blocks = MatrixStack<Float>(count: 4096, rows: 9, columns: 9)
  ///     let outcome = blocks.invertPositiveDefinite(damping: .relative(1e-3))
  ///
  /// - Parameters:
  ///   - damping: what is added to the diagonal first.
  ///   - triangle: the triangle that is read; both are written.
  ///   - backend: what computes it.
  ///   - threads: the most threads to use, at least 1.
  /// - Returns: which matrices are not positive definite. They stay as they were, and do not disturb the others.
  @discardableResult
  @specialized(where Scalar == Float) @specialized(where Scalar == Double)
  public mutating func invertPositiveDefinite(
    damping: Damping<Scalar> = .none, reading triangle: Triangle = .lower,
    on backend: any Backend = NativeBackend(), threads: Int = Threads.available
  ) -> BatchOutcome {
    inPlace("invertPositiveDefinite", damping, transposed: triangle == .upper, threads) {
      backend.invertPositiveDefinite($0, threads: threads)
    }
  }

  /// Replaces each matrix by the inverse of (itself + damping).
  ///
  /// By Gauss-Jordan elimination with partial pivoting, a matrix in each lane of a vector: meant for orders up to 16. 2n³
  /// flops a matrix. A matrix has the same bits alone and among any others.
  ///
  /// - Parameters:
  ///   - damping: what is added to the diagonal first.
  ///   - backend: what computes it.
  ///   - threads: the most threads to use, at least 1.
  /// - Returns: which matrices are singular, with the index of the first pivot that is 0 or NaN. They stay as they were,
  ///   and do not disturb the others.
  @discardableResult
  @specialized(where Scalar == Float) @specialized(where Scalar == Double)
  public mutating func invert(
    damping: Damping<Scalar> = .none, on backend: any Backend = NativeBackend(),
    threads: Int = Threads.available
  ) -> BatchOutcome {
    inPlace("invert", damping, transposed: false, threads) { backend.invertGeneral($0, threads: threads) }
  }

  /// Lends the stack as a call whose sources are its targets.
  @inline(__always)
  mutating func inPlace(
    _ operation: StaticString, _ damping: Damping<Scalar>, transposed: Bool, _ threads: Int,
    _ body: (BatchedMatrices<Scalar>) -> Void
  ) -> BatchOutcome {
    requireThreads(threads, operation)
    require(rows == columns, "\(operation): the matrices are \(rows)×\(columns); they must be square")
    let (absolute, relative) = damping.checkedParts(operation)
    return withMutableFirst { first, stride, count in
      let matrix = transposed ? first.transposed : first
      return ThreadContext.current.withScratch(count, of: Int32.self) { outcomes in
        if count > 0 {
          body(
            BatchedMatrices(
              source: BatchOperand(matrix, stride: stride), target: BatchOperand(matrix, stride: stride),
              count: count, absolute: absolute, relative: relative, outcomes: outcomes))
        }
        return BatchOutcome(UnsafeBufferPointer(start: outcomes, count: count))
      }
    }
  }
}

extension MatrixStack {
  /// Replaces each matrix of several stacks by the inverse of (itself + damping), all being symmetric positive definite.
  ///
  /// The orders may differ from stack to stack. One call: the work of all stacks together is spread over the threads.
  ///
  /// - Parameters:
  ///   - stacks: of square matrices; the lower triangles are read.
  ///   - damping: what is added to all diagonals first.
  ///   - backend: what computes it.
  ///   - threads: the most threads to use, at least 1.
  /// - Returns: for each stack, which of its matrices are not positive definite. They stay as they were.
  @discardableResult
  @specialized(where Scalar == Float) @specialized(where Scalar == Double)
  public static func invertPositiveDefinite(
    _ stacks: inout [MatrixStack], damping: Damping<Scalar> = .none,
    on backend: any Backend = NativeBackend(),
    threads: Int = Threads.available
  ) -> [BatchOutcome] {
    requireThreads(threads, "invertPositiveDefinite")
    let (absolute, relative) = damping.checkedParts("invertPositiveDefinite")
    let total = stacks.reduce(0) { $0 + $1.count }
    return ThreadContext.current.withScratch(total, of: Int32.self) { outcomes in
      withUnsafeTemporaryAllocation(of: BatchedMatrices<Scalar>.self, capacity: stacks.count) { calls in
        var start = 0
        for i in stacks.indices {
          let (rows, columns) = (stacks[i].rows, stacks[i].columns)
          require(
            rows == columns, "invertPositiveDefinite: matrices are \(rows)×\(columns); they must be square")
          // The storage is the stack's own and stays where it is until the next mutation.
          let call = stacks[i].withMutableFirst { first, stride, count in
            BatchedMatrices(
              source: BatchOperand(first, stride: stride), target: BatchOperand(first, stride: stride),
              count: count, absolute: absolute, relative: relative, outcomes: outcomes + start)
          }
          calls.initializeElement(at: i, to: call)
          start += call.count
        }
        withExtendedLifetime(stacks) {
          backend.invertPositiveDefinite(UnsafeBufferPointer(calls), threads: threads)
        }
        return calls.map { BatchOutcome(UnsafeBufferPointer(start: $0.outcomes, count: $0.count)) }
      }
    }
  }
}
