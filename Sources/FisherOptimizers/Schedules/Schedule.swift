import FisherLinearAlgebra
import FisherRuntime

/// What the learning rate is multiplied with, step by step.
public indirect enum Schedule: Sendable, Hashable {
  /// 1.
  case constant
  /// `factor` to the power of the number of whole periods of `every` steps.
  case step(every: Int, factor: Double)
  /// Half a cosine from 1 to `end` over `steps`, then `end` (Loshchilov & Hutter 2017, without restarts).
  case cosine(steps: Int, end: Double = 0)
  /// A line from 1 to `end` over `steps`, then `end`.
  case linear(steps: Int, end: Double = 0)
  /// A line that reaches 1 in step `steps`, counted from 1, then another schedule from its beginning.
  case warmUp(steps: Int, then: Schedule)
  /// Half a cosine up from `start` to 1 over the first `rise` of the steps, half a cosine down to `end` over the rest
  /// (Smith & Topin 2018). `rise` lies in [0, 1].
  case oneCycle(steps: Int, rise: Double = 0.3, start: Double = 0.04, end: Double = 1e-4)

  /// The factor for a step, counted from 0.
  public func factor(step: Int) -> Double {
    switch self {
    case .constant: return 1
    case .step(let every, let factor):
      return factor.raised(to: step / max(1, every))
    case .cosine(let steps, let end):
      return between(1, end, Self.progress(step, steps))
    case .linear(let steps, let end):
      return 1 + (end - 1) * Self.progress(step, steps)
    case .warmUp(let steps, let next):
      return step < steps ? Double(step + 1) / Double(steps) : next.factor(step: step - steps)
    case .oneCycle(let steps, let rise, let start, let end):
      let top = Int((Double(steps) * rise).rounded())
      return step < top
        ? between(start, 1, Self.progress(step, top))
        : between(1, end, Self.progress(step - top, max(1, steps - top)))
    }
  }

  private static func progress(_ step: Int, _ steps: Int) -> Double {
    steps <= 0 ? 1 : min(1, Double(step) / Double(steps))
  }

  /// Along half a cosine from a to b.
  private func between(_ a: Double, _ b: Double, _ progress: Double) -> Double {
    b + (a - b) * 0.5 * (1 + cos(.pi * progress))
  }
}

extension Double {
  /// xⁿ by repeated squaring: the same bits on every machine, unlike `pow`. `n` is not negative.
  public func raised(to n: Int) -> Double {
    require(n >= 0, "raised: the exponent \(n) is negative")
    var (result, base, n) = (1.0, self, n)
    while n > 0 {
      if n & 1 == 1 { result *= base }
      base *= base
      n >>= 1
    }
    return result
  }
}
