// Lion: Chen et al.: Symbolic Discovery of Optimization Algorithms, NeurIPS 2023, algorithm 2.
//
//   θ ← (1 − α·γ)·θ
//   θ ← θ − α·sign(β₁·m + (1 − β₁)·g),  sign(0) = 0
//   m ← β₂·m + (1 − β₂)·g
//
// Deviations: none.

public import FisherLinearAlgebra
public import FisherOptimizers

/// Moves every coordinate by α along the sign of an averaged gradient.
public struct Lion: Optimizer {
  public static let record = OptimizerRecord(
    name: "lion", title: "Lion",
    summary: "Moves every coordinate by α along the sign of an averaged gradient.",
    paper: "Chen et al.: Symbolic Discovery of Optimization Algorithms, NeurIPS 2023",
    hyperparameters: Lion.hyperparameters,
    invariances: [.lossScale, .elementPermutation, .sign], cost: Cost(flops: 9 * .P, elements: 5 * .P),
    stateSize: "P", promises: [.signDescent: [:]], weightDecay: .decoupled,
    constantResponse: .equal, treatsParametersApart: true, degree: 0)

  @Setting("learning rate α", .positive, source: "Chen et al. 2023") public var lr = 1e-4
  @Setting("β₁, the average in the step", .halfOpen(0, 1), source: "Chen et al. 2023") public var beta1 = 0.9
  @Setting("β₂, the average that is kept", .halfOpen(0, 1), source: "Chen et al. 2023") public var beta2 =
    0.99
  @Setting(DecoupledDecay.meaning, .nonNegative, source: "lion-pytorch") public var weightDecay = 0.0

  public init() {}

  /// What is left out has its default.
  public init(lr: Double? = nil, beta1: Double? = nil, beta2: Double? = nil, weightDecay: Double? = nil) {
    _lr.set(lr)
    _beta1.set(beta1)
    _beta2.set(beta2)
    _weightDecay.set(weightDecay)
  }

  public func plan<S: KernelScalar>(_ step: inout Step<S>) throws(StepRefusal) {
    let α = lr * step.schedule
    let rule = LionRule<S>(
      α: S(α), shrink: S(1 - α * weightDecay), β1: S(beta1), rest1: S(1 - beta1), β2: S(beta2),
      rest2: S(1 - beta2))
    for parameter in step.parameters { step.apply(rule, to: parameter) }
  }

  public func reference() -> any ReferenceOptimizer { NaiveLion(method: self) }
}

struct LionRule<S: KernelScalar>: UpdateRule {
  struct State { var m: Lanes<S> }

  let α, shrink, β1, rest1, β2, rest2: S

  @inline(__always)
  func update(_ x: inout Element<S>, _ state: inout State) {
    x.value = shrink * x.value - α * (β1 * state.m + rest1 * x.gradient).sign
    state.m = β2 * state.m + rest2 * x.gradient
  }
}
