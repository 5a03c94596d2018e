public import FisherLinearAlgebra
import FisherRuntime

/// Adam's update, for Adam itself and for what other methods leave to it.
///
///     g ← g + γ₁·θ
///     m ← β₁·m + (1 − β₁)·g
///     v ← β₂·v + (1 − β₂)·g²,  with AMSGrad the largest v so far in the next line
///     θ ← (1 − α·γ₂)·θ − α/(1 − β₁ᵗ) · m/(√v/√(1 − β₂ᵗ) + ε)
///
/// Sources: Kingma & Ba, ICLR 2015, algorithm 1; Reddi, Kale & Kumar, ICLR 2018 (AMSGrad); Loshchilov & Hutter, ICLR 2019.
public struct AdamRule<Scalar: KernelScalar>: UpdateRule {
  public struct State { @usableFromInline var m, v, vMax: Lanes<Scalar> }

  /// α/(1 − β₁ᵗ), γ₁, 1 − α·γ₂, 1/√(1 − β₂ᵗ).
  @usableFromInline let α, γ, shrink, correction: Scalar
  @usableFromInline let β1, rest1, β2, rest2, ε: Scalar
  @usableFromInline let isAMSGrad: Bool

  /// - Parameters:
  ///   - α: the learning rate of this step, > 0 or 0.
  ///   - t: the number of the step, from 1.
  ///   - β1: of the average of g, 0 ≤ β₁ < 1.
  ///   - β2: of the average of g², 0 ≤ β₂ < 1.
  ///   - ε: added to the denominator, ≥ 0.
  ///   - coupledDecay: γ₁, which passes through the averages.
  ///   - decoupledDecay: γ₂, beside them.
  ///   - isAMSGrad: whether to divide by the largest v so far.
  public init(
    α: Double, t: Int, β1: Double, β2: Double, ε: Double, coupledDecay: Double = 0,
    decoupledDecay: Double = 0,
    isAMSGrad: Bool = false
  ) {
    self.α = Scalar(α / (1 - β1.raised(to: t)))
    γ = Scalar(coupledDecay)
    shrink = Scalar(1 - α * decoupledDecay)
    correction = Scalar(1 / (1 - β2.raised(to: t)).squareRoot())
    (self.β1, rest1) = (Scalar(β1), Scalar(1 - β1))
    (self.β2, rest2) = (Scalar(β2), Scalar(1 - β2))
    self.ε = Scalar(ε)
    self.isAMSGrad = isAMSGrad
  }

  public var unused: [PartialKeyPath<State>] { isAMSGrad ? [] : [\.vMax] }

  @inlinable @inline(__always)
  public func update(_ x: inout Element<Scalar>, _ state: inout State) {
    let g = x.gradient + γ * x.value
    state.m = β1 * state.m + rest1 * g
    state.v = β2 * state.v + rest2 * g * g
    var v = state.v
    if isAMSGrad {
      state.vMax = Lanes.maximum(state.vMax, v)
      v = state.vMax
    }
    x.value = shrink * x.value - α * state.m / (v.squareRoot() * correction + ε)
  }
}
