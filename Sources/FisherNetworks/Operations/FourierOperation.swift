import FisherLinearAlgebra
import FisherRuntime

/// Every number x of a sample becomes a position with the features cos 2πkx and sin 2πkx, k = 1 … frequencies: cosines first.
/// A network behind it is periodic with period 1.
struct FourierOperation<Scalar: KernelScalar>: Operation {
  let frequencies: Int

  func forward(_ call: NodeCall<Scalar>) {
    Self.perform(call.input.base, call.output.base, count: call.count, frequencies)
  }

  /// dx = Σ 2πk·(cos 2πkx·ds − sin 2πkx·dc)
  func backward(_ call: NodeCall<Scalar>) {
    guard let target = call.inputGradient else { return }
    let (y, dy) = (call.output.readOnly.base, UnsafePointer(call.outputGradient.base))
    for i in 0..<call.count / (2 * frequencies) {
      var sum: Scalar = 0
      for k in 0..<frequencies {
        let (c, s) = (2 * i * frequencies + k, (2 * i + 1) * frequencies + k)
        let change: Scalar = y[c] * dy[s] - y[s] * dy[c]
        sum += Scalar(2 * .pi * Double(k + 1)) * change
      }
      target.base[i] = call.addsInputGradient ? target.base[i] + sum : sum
    }
  }

  func pushForward(_ call: NodeCall<Scalar>) {
    guard let tangent = call.inputTangent else { return call.outputTangent.fill(0) }
    let (y, target) = (call.output.readOnly.base, call.outputTangent.base)
    for i in 0..<call.count / (2 * frequencies) {
      for k in 0..<frequencies {
        let (c, s) = (2 * i * frequencies + k, (2 * i + 1) * frequencies + k)
        let speed = Scalar(2 * .pi * Double(k + 1)) * tangent.base[i]
        target[c] = -speed * y[s]
        target[s] = speed * y[c]
      }
    }
  }

  @specialized(where Scalar == Float) @specialized(where Scalar == Double)
  private static func perform(
    _ x: UnsafePointer<Scalar>, _ y: UnsafeMutablePointer<Scalar>, count: Int, _ frequencies: Int
  ) {
    for i in 0..<count / (2 * frequencies) {
      for k in 0..<frequencies {
        let angle = 2 * Double.pi * Double(k + 1) * Double(x[i])
        y[2 * i * frequencies + k] = Scalar(cos(angle))
        y[(2 * i + 1) * frequencies + k] = Scalar(sin(angle))
      }
    }
  }
}
