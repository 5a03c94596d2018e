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
  /// y ← exp(x − log Σ exp(x)).
  ///
  /// - Returns: log Σ exp(x).
  static func plain<S: KernelScalar>(
    _ x: UnsafePointer<S>, to y: UnsafeMutablePointer<S>, count: Int
  ) -> Double {
    var peak = -Double.infinity
    for i in 0..<count where !(Double(x[i]) <= peak) { peak = Double(x[i]) }
    // Without a finite element there is nothing to take away.
    if peak == -.infinity { peak = 0 }
    var sum = 0.0
    for i in 0..<count { sum += exp(Double(x[i]) - peak) }
    let logSum = peak + log(sum)
    for i in 0..<count { y[i] = S(exp(Double(x[i]) - logSum)) }
    return logSum
  }
}
