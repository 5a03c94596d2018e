// NAdam: Dozat: Incorporating Nesterov Momentum into Adam, ICLR 2016 workshop, in PyTorch's form.
//
//   g ← g + γ·θ, or decoupled θ ← (1 − α·γ)·θ
//   μₜ = β₁·(1 − ½·0.96^(t·ψ)),  π ← π·μₜ
//   m ← β₁·m + (1 − β₁)·g
//   v ← β₂·v + (1 − β₂)·g²
//   θ ← θ − α·( (1 − μₜ)/(1 − π)·g + μₜ₊₁/(1 − π·μₜ₊₁)·m ) / (√v/√(1 − β₂ᵗ) + ε)
//
// Deviations: none from PyTorch.

public import FisherLinearAlgebra
public import FisherOptimizers

/// Adam with Nesterov's momentum: the step looks ahead along the average.
public struct NAdam: Optimizer {
  public static let record = OptimizerRecord(
    name: "nadam", title: "NAdam", summary: "Adam with Nesterov's momentum.",
    paper: "Dozat: Incorporating Nesterov Momentum into Adam, ICLR 2016 workshop",
    hyperparameters: NAdam.hyperparameters, invariances: [.lossScale, .elementPermutation, .sign],
    cost: Cost(flops: 18 * .P, elements: 7 * .P), stateSize: "2·P and a number",
    probes: [[:], ["lr": 0.01, "weightDecay": 0.1], ["lr": 0.01, "weightDecay": 0.1, "decoupled": true]],
    promises: [.gradientInTheLimit: ["eps": 1e9]], dependsOnStepNumber: true, weightDecay: .coupled,
    treatsParametersApart: true, degree: 0)

  @Setting("learning rate α", .positive, source: "PyTorch") public var lr = 2e-3
  @Setting("β₁ of the average of g", .halfOpen(0, 1), source: "Dozat 2016") public var beta1 = 0.9
  @Setting("β₂ of the average of g²", .halfOpen(0, 1), source: "Dozat 2016") public var beta2 = 0.999
  @Setting("ε, added to the denominator", .nonNegative, source: "PyTorch") public var eps = 1e-8
  @Setting(
    "γ: γ·θ is added to the gradient, or with decoupled θ multiplied by 1 − α·γ", .nonNegative,
    source: "PyTorch")
  public var weightDecay = 0.0
  @Setting("ψ: how fast μ grows to β₁", .nonNegative, source: "Dozat 2016") public var momentumDecay = 4e-3
  @Setting("the decay beside the update", source: "PyTorch") public var decoupled = false

  public init() {}

  /// What is left out has its default.
  public init(
    lr: Double? = nil, beta1: Double? = nil, beta2: Double? = nil, eps: Double? = nil,
    weightDecay: Double? = nil, momentumDecay: Double? = nil, decoupled: Bool? = nil
  ) {
    _lr.set(lr)
    _beta1.set(beta1)
    _beta2.set(beta2)
    _eps.set(eps)
    _weightDecay.set(weightDecay)
    _momentumDecay.set(momentumDecay)
    _decoupled.set(decoupled)
  }

  public func plan<S: KernelScalar>(_ step: inout Step<S>) throws(StepRefusal) {
    let (α, t) = (lr * step.schedule, step.number)
    let (μ, next) = (momentum(t), momentum(t + 1))
    let π = (step.scalar("π") ?? 1) * μ
    let rule = NAdamRule<S>(
      α: S(α * (1 - μ) / (1 - π)), αm: S(α * next / (1 - π * next)), γ: S(decoupled ? 0 : weightDecay),
      shrink: S(decoupled ? 1 - α * weightDecay : 1),
      correction: S(1 / (1 - beta2.raised(to: t)).squareRoot()),
      β1: S(beta1), rest1: S(1 - beta1), β2: S(beta2), rest2: S(1 - beta2), ε: S(eps))
    for parameter in step.parameters { step.apply(rule, to: parameter) }
    step.set("π", to: π)
  }

  /// μₜ
  private func momentum(_ t: Int) -> Double { beta1 * (1 - realPower(0.96, Double(t) * momentumDecay) / 2) }

  public func reference() -> any ReferenceOptimizer { NaiveNAdam(method: self) }
}

struct NAdamRule<S: KernelScalar>: UpdateRule {
  struct State { var m, v: Lanes<S> }

  /// The factors of g and m, the γ inside of the gradient, 1 − α·γ beside it, 1/√(1 − β₂ᵗ).
  let α, αm, γ, shrink, correction: S
  let β1, rest1, β2, rest2, ε: S

  @inline(__always)
  func update(_ x: inout Element<S>, _ state: inout State) {
    let g = x.gradient + γ * x.value
    state.m = β1 * state.m + rest1 * g
    state.v = β2 * state.v + rest2 * g * g
    x.value = shrink * x.value - (α * g + αm * state.m) / (state.v.squareRoot() * correction + ε)
  }
}
