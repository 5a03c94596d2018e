// RMSprop: Tieleman & Hinton, lecture 6.5 of "Neural Networks for Machine Learning", 2012; centred: Graves 2013.
//
//   g ← g + γ·θ
//   v ← ρ·v + (1 − ρ)·g²
//   centred: a ← ρ·a + (1 − ρ)·g and v − a² instead of v below
//   d = g/(√v + ε)
//   momentum: b ← μ·b + d and b instead of d below
//   θ ← θ − α·d
//
// Deviations: ε outside of the root, as in PyTorch.

public import FisherLinearAlgebra
public import FisherOptimizers

/// Divides the gradient by the root of a running average of its square.
public struct RMSprop: Optimizer {
  public static let record = OptimizerRecord(
    name: "rmsprop", title: "RMSprop",
    summary: "Divides the gradient by the root of a running average of its square.",
    paper: "Tieleman & Hinton: lecture 6.5, 2012; Graves: Generating Sequences, 2013 (centred)",
    hyperparameters: RMSprop.hyperparameters,
    invariances: [.lossScale, .elementPermutation, .sign],
    cost: Cost(flops: 13 * .P, elements: 5 * .P, note: "2·P elements more for momentum and for centring"),
    stateSize: "P; and P each for momentum and centring",
    promises: [.gradientInTheLimit: ["eps": 1e9], .signDescent: ["rho": 0, "eps": 0]],
    weightDecay: .coupled, treatsParametersApart: true, degree: 0)

  @Setting("learning rate α", .positive, source: "PyTorch") public var lr = 0.01
  @Setting("ρ of the average of g²", .halfOpen(0, 1), source: "PyTorch") public var rho = 0.99
  @Setting("ε, added to the denominator", .nonNegative, source: "PyTorch") public var eps = 1e-8
  @Setting("μ", .halfOpen(0, 1), source: "PyTorch") public var momentum = 0.0
  @Setting("subtract the squared mean", source: "PyTorch") public var centered = false
  @Setting(CoupledDecay.meaning, .nonNegative, source: "PyTorch") public var weightDecay = 0.0

  public init() {}

  /// What is left out has its default.
  public init(
    lr: Double? = nil, rho: Double? = nil, eps: Double? = nil, momentum: Double? = nil, centered: Bool? = nil,
    weightDecay: Double? = nil
  ) {
    _lr.set(lr)
    _rho.set(rho)
    _eps.set(eps)
    _momentum.set(momentum)
    _centered.set(centered)
    _weightDecay.set(weightDecay)
  }

  public func plan<S: KernelScalar>(_ step: inout Step<S>) throws(StepRefusal) {
    let rule = RMSpropRule<S>(
      α: S(lr * step.schedule), γ: S(weightDecay), ρ: S(rho), rest: S(1 - rho), ε: S(eps), μ: S(momentum),
      isCentered: centered)
    for parameter in step.parameters { step.apply(rule, to: parameter) }
  }

  public func reference() -> any ReferenceOptimizer { NaiveRMSprop(method: self) }
}

struct RMSpropRule<S: KernelScalar>: UpdateRule {
  struct State { var v, b, a: Lanes<S> }

  let α, γ, ρ, rest, ε, μ: S
  let isCentered: Bool

  var unused: [PartialKeyPath<State>] { (μ > 0 ? [] : [\.b]) + (isCentered ? [] : [\.a]) }

  @inline(__always)
  func update(_ x: inout Element<S>, _ state: inout State) {
    let g = x.gradient + γ * x.value
    state.v = ρ * state.v + rest * g * g
    var v = state.v
    if isCentered {
      state.a = ρ * state.a + rest * g
      // Rounding may leave a difference just below zero.
      v = Lanes.maximum(v - state.a * state.a, .zero)
    }
    state.b = μ * state.b + g / (v.squareRoot() + ε)
    x.value -= α * state.b
  }
}
