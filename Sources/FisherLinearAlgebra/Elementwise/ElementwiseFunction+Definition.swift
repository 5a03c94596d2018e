import FisherRuntime
import KernelTemplates

// What the functions mean, in double precision: the oracle of the kernels.

extension ElementwiseFunction {
  /// f(x)
  package func value(at x: Double) -> Double {
    switch self {
    case .exp: FisherRuntime.exp(x)
    case .log: FisherRuntime.log(x)
    case .tanh: FisherRuntime.tanh(x)
    case .sigmoid: 1 / (1 + FisherRuntime.exp(-x))
    case .gelu: x == -.infinity ? 0 : x * Self.normalDistribution(x)
    case .silu: x == -.infinity ? 0 : x / (1 + FisherRuntime.exp(-x))
    }
  }

  /// f′(x)
  package func derivative(at x: Double) -> Double {
    switch self {
    case .exp: return FisherRuntime.exp(x)
    case .log: return 1 / x
    case .tanh:
      let c = 1 / cosh(x)
      return c * c
    case .sigmoid:
      let e = FisherRuntime.exp(-abs(x))
      return e / ((1 + e) * (1 + e))
    case .gelu:
      let density = FisherRuntime.exp(-x * x / 2) / (2 * Double.pi).squareRoot()
      return Self.normalDistribution(x) + (density == 0 ? 0 : x * density)
    case .silu:
      let (s, e) = (1 / (1 + FisherRuntime.exp(-x)), FisherRuntime.exp(-abs(x)))
      return s + (e == 0 ? 0 : x * e / ((1 + e) * (1 + e)))
    }
  }

  /// Φ(x)
  private static func normalDistribution(_ x: Double) -> Double { 0.5 * erfc(-x * 0.5.squareRoot()) }
}

/// The rows of a softmax by their definition.
enum Softmax {
  /// y ← exp(x − peak)/Σ exp(x − peak) with the largest element for the peak.
  static func plain<S: KernelScalar>(
    _ x: UnsafePointer<S>, to y: UnsafeMutablePointer<S>, count: Int
  ) -> ExponentialSum<Double> {
    var first = 0
    for i in 0..<count where x[i] > x[first] || x[first].isNaN { first = i }
    // Without a finite element there is nothing to take away.
    let peak = count == 0 || x[first] == -.infinity ? 0 : Double(x[first])
    var rest = count == 0 ? -1 : exp(Double(x[first]) - peak) - 1
    for i in 0..<count where i != first { rest += exp(Double(x[i]) - peak) }
    for i in 0..<count { y[i] = S(exp(Double(x[i]) - peak) / (1 + rest)) }
    return ExponentialSum(peak: peak, rest: rest)
  }
}
