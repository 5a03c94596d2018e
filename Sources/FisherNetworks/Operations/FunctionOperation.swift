import FisherLinearAlgebra

/// y = f(x), elementwise.
struct FunctionOperation<Scalar: KernelScalar>: Operation {
  let function: ElementwiseFunction

  func forward(_ call: NodeCall<Scalar>) {
    Stretches.perform(call.count, threads: call.threads) { range in
      let i = range.lowerBound
      call.backend.map(function, call.input.base + i, to: call.output.base + i, count: range.count)
    }
  }

  /// dx = dy·f′(x)
  func backward(_ call: NodeCall<Scalar>) {
    guard let target = call.inputGradient else { return }
    Stretches.perform(call.count, threads: call.threads) { range in
      let i = range.lowerBound
      call.backend.multiplyDerivative(
        function, x: call.input.base + i, y: UnsafePointer(call.output.base + i),
        dy: UnsafePointer(call.outputGradient.base + i), to: target.base + i, adds: call.addsInputGradient,
        count: range.count)
    }
  }

  func pushForward(_ call: NodeCall<Scalar>) { pushForwardBySymmetry(call) }
}
