import FisherLinearAlgebra

/// y = activation(a + b): the end of a residual block.
struct SumOperation<Scalar: KernelScalar>: Operation {
  let rectifier: Rectifier<Scalar>

  func forward(_ call: NodeCall<Scalar>) {
    guard let other = call.other else { return }
    Self.add(
      call.input.base, other.base, call.output.base, call.count, rectifier.slope, threads: call.threads)
  }

  /// da = db = δ
  func backward(_ call: NodeCall<Scalar>) {
    rectifier.gradient(
      call.outputGradient, output: call.output.readOnly, sums: nil, on: call.backend, threads: call.threads)
    pass(call, to: call.inputGradient, adds: call.addsInputGradient)
    pass(call, to: call.otherGradient, adds: call.addsOtherGradient)
  }

  private func pass(_ call: NodeCall<Scalar>, to target: MutableMatrixPointer<Scalar>?, adds: Bool) {
    guard let target else { return }
    Stretches.perform(call.count, threads: call.threads) { range in
      accumulate(
        UnsafePointer(call.outputGradient.base + range.lowerBound), into: target.base + range.lowerBound,
        count: range.count, adds: adds)
    }
  }

  func pushForward(_ call: NodeCall<Scalar>) {
    let (a, b) = (call.inputTangent, call.otherTangent)
    if a == nil && b == nil { return call.outputTangent.fill(0) }
    if let a { accumulate(a.base, into: call.outputTangent.base, count: call.count, adds: false) }
    if let b { accumulate(b.base, into: call.outputTangent.base, count: call.count, adds: a != nil) }
    rectifier.gradient(
      call.outputTangent, output: call.output.readOnly, sums: nil, on: call.backend, threads: call.threads)
  }

  @specialized(where Scalar == Float) @specialized(where Scalar == Double)
  private static func add(
    _ a: UnsafePointer<Scalar>, _ b: UnsafePointer<Scalar>, _ y: UnsafeMutablePointer<Scalar>, _ count: Int,
    _ slope: Scalar, threads: Int
  ) {
    Stretches.perform(count, threads: threads) { range in
      for i in range { y[i] = Rectifier(slope: slope)(a[i] + b[i]) }
    }
  }
}
