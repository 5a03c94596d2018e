// Adan: Xie, Zhou, Li, Lin & Yan: Adaptive Nesterov Momentum Algorithm, 2022 (arXiv 2208.06677), algorithm 1.
//
//   d = g − (the gradient of the step before), 0 in the first step
//   m ← β₁·m + (1 − β₁)·g
//   v ← β₂·v + (1 − β₂)·d
//   n ← β₃·n + (1 − β₃)·(g + β₂·d)²
//   θ ← (θ − α·( m/(1 − β₁ᵗ) + β₂·v/(1 − β₂ᵗ) ) / (√n/√(1 − β₃ᵗ) + ε)) / (1 + α·γ)
//
// β is what is kept, as in the official code; the paper's βs are what is added, 1 − β. The bias corrections are the
// official code's, too. Deviations: no restarts.

public import FisherLinearAlgebra
public import FisherOptimizers

/// Nesterov's momentum from differences of gradients, with Adam's denominator.
public struct Adan: Optimizer {
  public static let record = OptimizerRecord(
    name: "adan", title: "Adan",
    summary: "Nesterov's momentum from differences of gradients, with Adam's denominator.",
    paper: "Xie et al.: Adan: Adaptive Nesterov Momentum Algorithm, 2022",
    hyperparameters: Adan.hyperparameters, invariances: [.lossScale, .elementPermutation, .sign],
    cost: Cost(flops: 22 * .P, elements: 11 * .P), stateSize: "4·P",
    probes: [[:], ["lr": 0.01, "weightDecay": 0.1, "beta2": 0.7]],
    promises: [
      .gradientInTheLimit: ["eps": 1e9], .signDescent: ["beta1": 0, "beta2": 0, "beta3": 0, "eps": 0],
    ], dependsOnStepNumber: true, weightDecay: .implicit,
    constantResponse: .equal, treatsParametersApart: true, degree: 0)

  @Setting("learning rate α", .positive, source: "ours, see FirstOrder.md; official code 1e-3") public
    var lr = 5e-3
  @Setting("β₁ of the average of g", .halfOpen(0, 1), source: "Xie et al. 2022") public var beta1 = 0.98
  @Setting("β₂ of the average of differences", .halfOpen(0, 1), source: "Xie et al. 2022") public var beta2 =
    0.92
  @Setting("β₃ of the average of squares", .halfOpen(0, 1), source: "Xie et al. 2022") public var beta3 = 0.99
  @Setting("ε, added to the denominator", .nonNegative, source: "Xie et al. 2022") public var eps = 1e-8
  @Setting("γ: θ is divided by 1 + α·γ last", .nonNegative, source: "official code") public var weightDecay =
    0.0

  public init() {}

  /// What is left out has its default.
  public init(
    lr: Double? = nil, beta1: Double? = nil, beta2: Double? = nil, beta3: Double? = nil, eps: Double? = nil,
    weightDecay: Double? = nil
  ) {
    _lr.set(lr)
    _beta1.set(beta1)
    _beta2.set(beta2)
    _beta3.set(beta3)
    _eps.set(eps)
    _weightDecay.set(weightDecay)
  }

  public func plan<S: KernelScalar>(_ step: inout Step<S>) throws(StepRefusal) {
    let (α, t) = (lr * step.schedule, step.number)
    let rule = AdanRule<S>(
      αm: S(α / (1 - beta1.raised(to: t))), αv: S(α * beta2 / (1 - beta2.raised(to: t))),
      shrink: S(1 / (1 + α * weightDecay)), correction: S(1 / (1 - beta3.raised(to: t)).squareRoot()),
      β1: S(beta1), rest1: S(1 - beta1), β2: S(beta2), rest2: S(1 - beta2), β3: S(beta3),
      rest3: S(1 - beta3), ε: S(eps), isFirst: t == 1)
    for parameter in step.parameters { step.apply(rule, to: parameter) }
  }

  public func reference() -> any ReferenceOptimizer { NaiveAdan(method: self) }
}

struct AdanRule<S: KernelScalar>: UpdateRule {
  /// The averages, and the gradient of the step before.
  struct State { var m, v, n, g: Lanes<S> }

  /// α/(1 − β₁ᵗ), α·β₂/(1 − β₂ᵗ), 1/(1 + α·γ), 1/√(1 − β₃ᵗ).
  let αm, αv, shrink, correction: S
  let β1, rest1, β2, rest2, β3, rest3, ε: S
  let isFirst: Bool

  @inline(__always)
  func update(_ x: inout Element<S>, _ state: inout State) {
    let g = x.gradient
    let d = isFirst ? .zero : g - state.g
    let ahead = g + β2 * d
    state.m = β1 * state.m + rest1 * g
    state.v = β2 * state.v + rest2 * d
    state.n = β3 * state.n + rest3 * ahead * ahead
    state.g = g
    let direction = (αm * state.m + αv * state.v) / (state.n.squareRoot() * correction + ε)
    x.value = shrink * (x.value - direction)
  }
}
