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
    LaneSolve(call: call).perform(S._kernels(instructionSet), threads: threads)
  }

  @specialized(where S == Float) @specialized(where S == Double)
  public func addOuterProducts<S: KernelScalar>(_ call: BatchedOuterProducts<S>, threads: Int) {
    LaneOuterProducts(call: call).perform(S._kernels(instructionSet), threads: threads)
  }

  @specialized(where S == Float) @specialized(where S == Double)
  public func multiply<S: KernelScalar>(_ call: BatchedProducts<S>, threads: Int) {
    LaneMultiply(call: call).perform(S._kernels(instructionSet), threads: threads)
  }

  @specialized(where S == Float) @specialized(where S == Double)
  public func copy<S: KernelScalar>(
    _ source: BatchOperand<S>, to target: BatchOperand<S>, count: Int, threads: Int
  ) {
    LaneCopy(count: count, source: source, target: target).perform(
      S._kernels(instructionSet), threads: threads)
  }

  @inline(never)
  private func transform<S: KernelScalar>(
    _ operation: LaneOperation, _ calls: UnsafeBufferPointer<BatchedMatrices<S>>, _ threads: Int
  ) {
    ThreadContext.current.withScratch(calls.count, of: LaneTransform<S>.self) { works in
      for (i, call) in calls.enumerated() {
        (works + i).initialize(to: LaneTransform(operation: operation, call: calls.baseAddress! + i))
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
