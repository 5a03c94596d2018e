import FisherLinearAlgebra
import FisherRuntime

/// In training, y = x/(1 − rate) with probability 1 − rate and 0 otherwise (Srivastava et al. 2014, inverted); in
/// evaluation, y = x.
///
/// Element i of a batch is dropped or not by word i of a random sequence of (seed of the pass, place in the network):
/// the mask is never stored.
struct DropoutOperation<Scalar: KernelScalar>: Operation {
  let rate: Double

  func forward(_ call: NodeCall<Scalar>) { mask(call, call.input.base, call.output.base, adds: false) }

  func backward(_ call: NodeCall<Scalar>) {
    guard let target = call.inputGradient else { return }
    mask(call, UnsafePointer(call.outputGradient.base), target.base, adds: call.addsInputGradient)
  }

  func pushForward(_ call: NodeCall<Scalar>) { pushForwardBySymmetry(call) }

  private func mask(
    _ call: NodeCall<Scalar>, _ x: UnsafePointer<Scalar>, _ y: UnsafeMutablePointer<Scalar>, adds: Bool
  ) {
    guard case .training(let seed) = call.mode else {
      return Stretches.perform(call.count, threads: call.threads) { range in
        accumulate(x + range.lowerBound, into: y + range.lowerBound, count: range.count, adds: adds)
      }
    }
    Self.drop(
      x, y, call.count, RandomStream(seed, 3, UInt64(call.index)), rate: rate, adds: adds,
      threads: call.threads)
  }

  @specialized(where Scalar == Float) @specialized(where Scalar == Double)
  private static func drop(
    _ x: UnsafePointer<Scalar>, _ y: UnsafeMutablePointer<Scalar>, _ count: Int, _ stream: RandomStream,
    rate: Double, adds: Bool, threads: Int
  ) {
    let factor = Scalar(1 / (1 - rate))
    Stretches.perform(count, threads: threads) { range in
      for i in range {
        let term = stream.unit(i) < rate ? 0 : factor * x[i]
        y[i] = adds ? y[i] + term : term
      }
    }
  }

  /// x ← the same of `count` elements where they lie, by the words of the sequence from `start` on.
  @specialized(where Scalar == Float) @specialized(where Scalar == Double)
  static func drop(
    _ x: UnsafeMutablePointer<Scalar>, count: Int, from start: Int, _ stream: RandomStream, rate: Double
  ) {
    let factor = Scalar(1 / (1 - rate))
    for i in 0..<count { x[i] = stream.unit(start + i) < rate ? 0 : factor * x[i] }
  }
}
