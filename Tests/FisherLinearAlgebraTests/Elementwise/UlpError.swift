import FisherLinearAlgebra
import FisherTestSupport
import Foundation

/// The largest error of a function over many arguments, in units of the last place of the exact result.
struct UlpError: CustomStringConvertible {
  var worst = 0.0
  var at = 0.0

  var description: String { "\(worst) ulp at \(at)" }

  /// Takes in the result `got` for the exact value `exact`, which has more bits than `S`.
  @inline(__always)
  mutating func add<S: KernelScalar, Exact: BinaryFloatingPoint>(_ got: S, _ exact: Exact, at x: S) {
    let rounded = S(exact)
    if got.isNaN && exact.isNaN { return }
    if !rounded.isFinite || !got.isFinite {
      // Near the end of the range, infinity may be one rounding early or late.
      let near = S.greatestFiniteMagnitude
      let fits = got == rounded || (abs(got) >= near && abs(rounded) >= near && (got > 0) == (rounded > 0))
      if !fits { (worst, at) = (.infinity, Double(x)) }
      return
    }
    let unit = Exact(max(abs(rounded).ulp, S.leastNonzeroMagnitude))
    let error = Double(abs(Exact(got) - exact) / unit)
    if !(error <= worst) { (worst, at) = (error, Double(x)) }
  }
}

#if arch(x86_64)
  /// 64 bits of significand.
  typealias Wide = Float80

  extension ElementwiseFunction {
    func value(at x: Wide) -> Wide {
      switch self {
      case .exp: return Foundation.exp(x)
      case .log: return Foundation.log(x)
      case .tanh: return Foundation.tanh(x)
      case .sigmoid: return 1 / (1 + Foundation.exp(-x))
      case .gelu: return x == -.infinity ? 0 : x * erfc(-x * Wide(0.5).squareRoot()) / 2
      case .silu: return x == -.infinity ? 0 : x / (1 + Foundation.exp(-x))
      }
    }
  }
#else
  typealias Wide = Double
#endif
