import FisherLinearAlgebra
import FisherRuntime

/// y = ½·x·(1 + tanh u) with u = √(2/π)·(x + 0.044715·x³): Hendrycks & Gimpel's approximation of x·Φ(x), GPT-2's.
///
/// Written as x·σ(2u): where tanh is near −1 the sum 1 + tanh would have no digits left.
struct GeluTanhOperation<Scalar: KernelScalar>: Operation {
  private static var factor: Scalar { Scalar((8 / Double.pi).squareRoot()) }
  private static var cubic: Scalar { 0.044715 }

  func forward(_ call: NodeCall<Scalar>) {
    forEachStretch(call) { range, s in
      Self.multiply(
        call.input.base + range.lowerBound, s, to: call.output.base + range.lowerBound, range.count)
    }
  }

  /// dx = dy·(s + x·s·(1 − s)·(2u)′) with s = σ(2u).
  func backward(_ call: NodeCall<Scalar>) {
    guard let target = call.inputGradient else { return }
    forEachStretch(call) { range, s in
      let at = range.lowerBound
      Self.pull(
        call.input.base + at, s, UnsafePointer(call.outputGradient.base + at), to: target.base + at,
        range.count,
        adds: call.addsInputGradient)
    }
  }

  func pushForward(_ call: NodeCall<Scalar>) { pushForwardBySymmetry(call) }

  /// Calls `body` with σ(2u) of some elements.
  private func forEachStretch(
    _ call: NodeCall<Scalar>, _ body: (_ range: Range<Int>, _ s: UnsafePointer<Scalar>) -> Void
  ) {
    Stretches.perform(call.count, threads: call.threads) { range in
      Scratch.with(range.count, of: Scalar.self) { s in
        Self.arguments(call.input.base + range.lowerBound, to: s, range.count)
        call.backend.map(.sigmoid, s, to: s, count: range.count)
        body(range, s)
      }
    }
  }

  @specialized(where Scalar == Float) @specialized(where Scalar == Double)
  private static func arguments(_ x: UnsafePointer<Scalar>, to u: UnsafeMutablePointer<Scalar>, _ count: Int)
  {
    let (factor, cubic) = (factor, cubic)
    for i in 0..<count { u[i] = factor * (x[i] + cubic * (x[i] * x[i] * x[i])) }
  }

  /// x·s, and 0 where s is 0: −∞ has no NaN.
  @specialized(where Scalar == Float) @specialized(where Scalar == Double)
  private static func multiply(
    _ x: UnsafePointer<Scalar>, _ s: UnsafePointer<Scalar>, to y: UnsafeMutablePointer<Scalar>, _ count: Int
  ) {
    for i in 0..<count { y[i] = s[i] == 0 ? 0 : x[i] * s[i] }
  }

  @specialized(where Scalar == Float) @specialized(where Scalar == Double)
  private static func pull(
    _ x: UnsafePointer<Scalar>, _ s: UnsafePointer<Scalar>, _ dy: UnsafePointer<Scalar>,
    to dx: UnsafeMutablePointer<Scalar>, _ count: Int, adds: Bool
  ) {
    let (factor, cubic) = (factor, cubic)
    for i in 0..<count {
      // Where σ is 0 or 1 its slope is 0, however steep the argument.
      let slope = s[i] * (1 - s[i])
      let bend = slope == 0 ? 0 : x[i] * slope * factor * (1 + 3 * cubic * (x[i] * x[i]))
      let term = dy[i] * (s[i] + bend)
      dx[i] = adds ? dx[i] + term : term
    }
  }
}
