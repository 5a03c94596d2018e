import FisherRuntime
import KernelTemplates

// As many matrices at once as a vector has lanes, groups of them spread over the threads.
extension NativeBackend {
  @specialized(where S == Float) @specialized(where S == Double)
  public func invertPositiveDefinite<S: KernelScalar>(
    _ calls: UnsafeBufferPointer<BatchedMatrices<S>>, threads: Int
  ) { transform(.positiveDefiniteInverse, calls, threads) }

  @specialized(where S == Float) @specialized(where S == Double)
  public func factorCholesky<S: KernelScalar>(
    _ calls: UnsafeBufferPointer<BatchedMatrices<S>>, threads: Int
  ) { transform(.choleskyFactor, calls, threads) }

  @specialized(where S == Float) @specialized(where S == Double)
  public func invertGeneral<S: KernelScalar>(
    _ calls: UnsafeBufferPointer<BatchedMatrices<S>>, threads: Int
  ) { transform(.generalInverse, calls, threads) }

  @specialized(where S == Float) @specialized(where S == Double)
  public func solveCholesky<S: KernelScalar>(_ call: BatchedSolve<S>, threads: Int) {
    if call.factor.rows == 0 || call.right.columns == 0 { return }
    LaneSolve(
      order: call.factor.rows, columns: call.right.columns, count: call.count,
      factor: LaneMatrices(reading: call.factor, stride: call.factorStride, isPacked: call.isPacked),
      right: LaneMatrices(call.right, stride: call.rightStride)
    ).perform(S._kernels(instructionSet), threads: threads)
  }

  @inline(never)
  private func transform<S: KernelScalar>(
    _ operation: LaneOperation, _ calls: UnsafeBufferPointer<BatchedMatrices<S>>, _ threads: Int
  ) {
    ThreadContext.current.withScratch(calls.count, of: LaneTransform<S>.self) { works in
      for (i, call) in calls.enumerated() {
        (works + i).initialize(to: LaneTransform(operation, call))
        if call.order == 0 {
          for m in 0..<call.count {
            call.outcomes[m] = -1
            call.logDeterminants?[m] = 0
          }
        }
      }
      LaneTransform.perform(
        UnsafeBufferPointer(start: works, count: calls.count), S._kernels(instructionSet), threads: threads)
    }
  }
}

extension LaneTransform {
  /// A call on arrays; nothing to do if its matrices have no elements.
  init(_ operation: LaneOperation, _ call: BatchedMatrices<S>) {
    self.init(
      operation: operation, order: call.order, count: call.order == 0 ? 0 : call.count,
      source: LaneMatrices(reading: call.source, stride: call.sourceStride, isPacked: call.isPacked),
      target: LaneMatrices(call.target, stride: call.targetStride, isPacked: call.isPacked),
      absolute: call.absolute, relative: call.relative, logDeterminants: call.logDeterminants,
      outcomes: call.outcomes)
  }
}
