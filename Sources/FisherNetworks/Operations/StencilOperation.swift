import FisherLinearAlgebra
import FisherRuntime

/// y = Σₜ wₜ·xₜ: a fixed combination of the positions of a sample, feature by feature. Differences of a network's outputs at
/// neighbouring inputs, say.
struct StencilOperation<Scalar: KernelScalar>: Operation {
  let weights: [Scalar]
  let features: Int

  func forward(_ call: NodeCall<Scalar>) { combine(call.input.base, call.output.base, call.samples) }

  func pushForward(_ call: NodeCall<Scalar>) {
    guard let tangent = call.inputTangent else { return call.outputTangent.fill(0) }
    combine(tangent.base, call.outputTangent.base, call.samples)
  }

  /// dxₜ = wₜ·dy
  func backward(_ call: NodeCall<Scalar>) {
    guard let target = call.inputGradient else { return }
    for n in 0..<call.samples {
      for (t, weight) in weights.enumerated() {
        let dx = target.base + (n * weights.count + t) * features
        for j in 0..<features {
          let term = weight * call.outputGradient.base[n * features + j]
          dx[j] = call.addsInputGradient ? dx[j] + term : term
        }
      }
    }
  }

  private func combine(_ x: UnsafePointer<Scalar>, _ y: UnsafeMutablePointer<Scalar>, _ samples: Int) {
    for n in 0..<samples {
      for j in 0..<features {
        var sum: Scalar = 0
        for (t, weight) in weights.enumerated() { sum += weight * x[(n * weights.count + t) * features + j] }
        y[n * features + j] = sum
      }
    }
  }
}
