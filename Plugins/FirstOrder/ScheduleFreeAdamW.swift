// Schedule-Free AdamW: Defazio et al.: The Road Less Scheduled, NeurIPS 2024 (arXiv 2405.15682), algorithm 1.
//
//   θ = y, where gradients are taken; z, the fast sequence; x, their average, which is tested and saved
//   α = lr·(the schedule)·min(1, t/W),  S ← S + α²,  c = α²/S
//   v ← β₂·v + (1 − β₂)·g²
//   z ← z − α·( g/(√v/√(1 − β₂ᵗ) + ε) + γ·y )
//   x ← (1 − c)·x + c·z
//   y ← (1 − β₁)·z + β₁·x
//
// Deviations: x is kept, where the official code finds it from y and z, which loses digits as β₁ falls and has no answer
// for β₁ = 0. With a schedule that falls, the weights are the paper's α²; the official code takes the largest α so far.

public import FisherLinearAlgebra
public import FisherOptimizers

/// AdamW that is averaged instead of having its learning rate decayed: it trains y and tests x.
public struct ScheduleFreeAdamW: Optimizer {
  public static let record = OptimizerRecord(
    name: "schedulefree", title: "Schedule-Free AdamW",
    summary: "AdamW whose average is tested, instead of a learning rate that falls.",
    paper: "Defazio et al.: The Road Less Scheduled, NeurIPS 2024",
    hyperparameters: ScheduleFreeAdamW.hyperparameters,
    invariances: [.lossScale, .elementPermutation, .sign],
    cost: Cost(flops: 18 * .P, elements: 9 * .P), stateSize: "3·P and a number",
    probes: [
      ["lr": 0.01], ["lr": 0.01, "weightDecay": 0.1, "warmUp": 7], ["lr": 0.01, "beta1": 0, "beta2": 0.9],
    ],
    promises: [.gradientInTheLimit: ["eps": 1e9]], testedSlot: "x", dependsOnStepNumber: true,
    treatsParametersApart: true)

  @Setting("learning rate", .positive, source: "ours, see FirstOrder.md; official code 2.5e-3") public
    var lr = 5e-3
  @Setting("β₁: y lies so far from z towards x", .closed(0, 1), source: "Defazio et al. 2024") public
    var beta1 = 0.9
  @Setting("β₂ of the average of g²", .halfOpen(0, 1), source: "Defazio et al. 2024") public var beta2 = 0.999
  @Setting("ε, added to the denominator", .nonNegative, source: "official code") public var eps = 1e-8
  @Setting("γ: α·γ·y is subtracted from z", .nonNegative, source: "official code") public var weightDecay =
    0.0
  @Setting("W: steps in which the learning rate grows", .atLeast(0), source: "official code") public
    var warmUp = 0

  public init() {}

  /// What is left out has its default.
  public init(
    lr: Double? = nil, beta1: Double? = nil, beta2: Double? = nil, eps: Double? = nil,
    weightDecay: Double? = nil, warmUp: Int? = nil
  ) {
    _lr.set(lr)
    _beta1.set(beta1)
    _beta2.set(beta2)
    _eps.set(eps)
    _weightDecay.set(weightDecay)
    _warmUp.set(warmUp)
  }

  public func plan<S: KernelScalar>(_ step: inout Step<S>) throws(StepRefusal) {
    let t = step.number
    let α = lr * step.schedule * (t < warmUp ? Double(t) / Double(warmUp) : 1)
    let former = step.scalar("S")
    let sum = (former ?? 0) + α * α
    let rule = ScheduleFreeRule<S>(
      α: S(α), γ: S(weightDecay), c: S(sum > 0 ? α * α / sum : 0), β1: S(beta1), β2: S(beta2),
      rest2: S(1 - beta2),
      correction: S(1 / (1 - beta2.raised(to: t)).squareRoot()), ε: S(eps), isFirst: former == nil)
    for parameter in step.parameters { step.apply(rule, to: parameter) }
    step.set("S", to: sum)
  }

  public func reference() -> any ReferenceOptimizer { NaiveScheduleFree(method: self) }
}

struct ScheduleFreeRule<S: KernelScalar>: UpdateRule {
  struct State { var z, x, v: Lanes<S> }

  let α, γ, c, β1, β2, rest2, correction, ε: S
  /// x and z begin as y.
  let isFirst: Bool

  @inline(__always)
  func update(_ y: inout Element<S>, _ state: inout State) {
    if isFirst { (state.z, state.x) = (y.value, y.value) }
    let g = y.gradient
    state.v = β2 * state.v + rest2 * g * g
    state.z -= α * (g / (state.v.squareRoot() * correction + ε) + γ * y.value)
    // In this form sequences that agree stay where they are, bit for bit.
    state.x += c * (state.z - state.x)
    y.value = state.z + β1 * (state.x - state.z)
  }
}
