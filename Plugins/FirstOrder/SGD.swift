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
    hyperparameters: [
      .learningRate(0.01, source: "Krizhevsky et al. 2012, section 5"),
      .average("momentum", "μ, how much of the last direction stays", 0.9, source: "Krizhevsky et al. 2012"),
      Hyperparameter("dampening", "τ", 0.0, .closed(0, 1), source: "PyTorch"),
      Hyperparameter("nesterov", "look ahead by μ", false, .flag, source: "PyTorch"),
      .weightDecay(0, decoupled: false, source: "PyTorch"),
    ],
    invariances: [.elementPermutation, .sign, .rotation], cost: Cost(flops: 7 * .P, elements: 5 * .P),
    stateSize: "P; nothing without momentum")

  public let settings: Settings

  public init(settings: Settings) { self.settings = settings }

  @specialized(where S == Float) @specialized(where S == Double)
  public func plan<S: KernelScalar>(_ step: inout Step<S>) throws(StepRefusal) {
    let μ = settings.number("momentum")
    let rule = SGDRule<S>(
      α: S(settings.number("lr") * step.schedule), γ: S(settings.number("weightDecay")),
      keep: S(step.number == 1 ? 0 : μ), mix: S(step.number == 1 ? 1 : 1 - settings.number("dampening")),
      ahead: S(settings.flag("nesterov") ? μ : 0), isNesterov: settings.flag("nesterov"), hasMomentum: μ > 0)
    for parameter in step.parameters { step.apply(rule, to: parameter) }
  }

  public func reference() -> any ReferenceOptimizer { NaiveSGD(settings) }
}

struct SGDRule<S: KernelScalar>: UpdateRule {
  let α, γ, keep, mix, ahead: S
  let isNesterov, hasMomentum: Bool

  var slots: [String?] { [hasMomentum ? "b" : nil] }

  @inline(__always)
  func update(_ x: inout Element<S>) {
    let g = x.gradient + γ * x.value
    let b = hasMomentum ? keep * x.first + mix * g : g
    x.first = b
    x.value -= α * (isNesterov ? g + ahead * b : b)
  }
}
