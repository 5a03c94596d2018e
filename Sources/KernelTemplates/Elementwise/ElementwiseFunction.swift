/// Functions of one number that run on whole vectors. NaN stays NaN in each of them.
@frozen
public enum ElementwiseFunction: String, Sendable, CaseIterable {
  /// eˣ
  case exp
  /// ln x: −∞ at 0, NaN below.
  case log
  case tanh
  /// 1/(1 + e⁻ˣ)
  case sigmoid
  /// x·Φ(x), Φ the normal distribution function (Hendrycks and Gimpel 2016), not its approximation by tanh.
  case gelu
  /// x/(1 + e⁻ˣ) (Elfwing et al. 2018; swish).
  case silu
}
