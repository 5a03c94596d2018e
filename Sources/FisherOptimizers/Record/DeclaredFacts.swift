/// What a method does with the hyper-parameter `weightDecay`, γ; verified as an equation between two runs of the method.
public enum WeightDecay: String, Sendable, CaseIterable {
  /// g + γ·θ takes the place of g.
  case coupled
  /// θ ← (1 − α·γ)·θ − u, where the step u knows nothing of γ (Loshchilov & Hutter 2019).
  case decoupled
  /// θ ← (θ − u)/(1 + α·γ), a proximal step (Xie et al. 2022).
  case implicit
}

/// How far a method goes, step by step, when every step sees the same gradient and the same batch, and γ = 0; verified
/// without the method's reference.
public enum ConstantResponse: Sendable, Equatable {
  /// The first step is as long as any later one: the averages are corrected for their start, or have none.
  case equal
  /// Step t is 1 + μ + … + μᵗ⁻¹ times the first: one sum of the directions, with the factor of this hyper-parameter.
  case geometric(String)
}
