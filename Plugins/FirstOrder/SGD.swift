// Stochastic gradient descent with momentum: Polyak 1964; Nesterov 1983; in the form of Sutskever et al. 2013.
//
//   g ← g + γ·θ
//   b ← g in the first step, then b ← μ·b + (1 − τ)·g
//   θ ← θ − α·b,  with Nesterov  θ ← θ − α·(g + μ·b)
//
// Deviations: none. The form is PyTorch's: α multiplies b and is not accumulated in it.

public import FisherLinearAlgebra
public import FisherOptimizers

/// Stochastic gradient descent with momentum.
public struct SGD: Optimizer {
  public static let record = OptimizerRecord(
    name: "sgd", title: "SGD", summary: "Gradient descent with heavy-ball or Nesterov momentum.",
    paper: "Polyak 1964; Nesterov 1983; Sutskever, Martens, Dahl & Hinton, ICML 2013",
    hyperparameters: SGD.hyperparameters,
    invariances: [.elementPermutation, .sign, .rotation], cost: Cost(flops: 7 * .P, elements: 5 * .P),
    stateSize: "P; nothing without momentum", promises: [.heavyBall: ["momentum": 0.25]],
    weightDecay: .coupled,
    constantResponse: .geometric("momentum"), treatsParametersApart: true, degree: 1)

  @Setting("learning rate α", .positive, source: "Krizhevsky et al. 2012, section 5") public var lr = 0.01
  @Setting("μ, how much of the last direction stays", .halfOpen(0, 1), source: "Krizhevsky et al. 2012")
  public var momentum = 0.9
  @Setting("τ", .closed(0, 1), source: "PyTorch") public var dampening = 0.0
  @Setting("look ahead by μ", source: "PyTorch") public var nesterov = false
  @Setting(CoupledDecay.meaning, .nonNegative, source: "PyTorch") public var weightDecay = 0.0

  public init() {}

  /// What is left out has its default.
  public init(
    lr: Double? = nil, momentum: Double? = nil, dampening: Double? = nil, nesterov: Bool? = nil,
    weightDecay: Double? = nil
  ) {
    _lr.set(lr)
    _momentum.set(momentum)
    _dampening.set(dampening)
    _nesterov.set(nesterov)
    _weightDecay.set(weightDecay)
  }

  public func plan<S: KernelScalar>(_ step: inout Step<S>) throws(StepRefusal) {
    let rule = SGDRule<S>(
      α: S(lr * step.schedule), γ: S(weightDecay), keep: S(step.number == 1 ? 0 : momentum),
      mix: S(step.number == 1 ? 1 : 1 - dampening), ahead: S(nesterov ? momentum : 0), isNesterov: nesterov,
      hasMomentum: momentum > 0)
    for parameter in step.parameters { step.apply(rule, to: parameter) }
  }

  public func reference() -> any ReferenceOptimizer { NaiveSGD(method: self) }
}

struct SGDRule<S: KernelScalar>: UpdateRule {
  struct State { var b: Lanes<S> }

  let α, γ, keep, mix, ahead: S
  let isNesterov, hasMomentum: Bool

  var unused: [PartialKeyPath<State>] { hasMomentum ? [] : [\.b] }

  @inline(__always)
  func update(_ x: inout Element<S>, _ state: inout State) {
    let g = x.gradient + γ * x.value
    state.b = hasMomentum ? keep * state.b + mix * g : g
    x.value -= α * (isNesterov ? g + ahead * state.b : state.b)
  }
}
