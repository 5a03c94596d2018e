// AdaGrad: Duchi, Hazan & Singer, JMLR 2011, the diagonal form.
//
//   g ← g + γ·θ
//   s ← s + g²
//   θ ← θ − α/(1 + (t − 1)·η) · g/(√s + ε)
//
// Deviations: ε stands outside of the root and the rate may decay with η, both as in PyTorch.

public import FisherLinearAlgebra
public import FisherOptimizers

/// A learning rate for each coordinate that falls with the sum of its squared gradients.
public struct AdaGrad: Optimizer {
  public static let record = OptimizerRecord(
    name: "adagrad", title: "AdaGrad",
    summary: "Divides the gradient by the root of the sum of all squared gradients.",
    paper: "Duchi, Hazan & Singer: Adaptive Subgradient Methods, JMLR 2011",
    hyperparameters: AdaGrad.hyperparameters,
    invariances: [.lossScale, .elementPermutation, .sign],
    cost: Cost(flops: 9 * .P, elements: 5 * .P), stateSize: "P",
    promises: [.gradientInTheLimit: ["eps": 1e9]],
    weightDecay: .coupled, treatsParametersApart: true, degree: 0)

  @Setting("learning rate α", .positive, source: "PyTorch") public var lr = 0.01
  @Setting("η", .nonNegative, source: "PyTorch") public var lrDecay = 0.0
  @Setting("ε, added to the denominator", .nonNegative, source: "PyTorch") public var eps = 1e-10
  @Setting(CoupledDecay.meaning, .nonNegative, source: "PyTorch") public var weightDecay = 0.0

  public init() {}

  /// What is left out has its default.
  public init(lr: Double? = nil, lrDecay: Double? = nil, eps: Double? = nil, weightDecay: Double? = nil) {
    _lr.set(lr)
    _lrDecay.set(lrDecay)
    _eps.set(eps)
    _weightDecay.set(weightDecay)
  }

  public func plan<S: KernelScalar>(_ step: inout Step<S>) throws(StepRefusal) {
    let α = lr * step.schedule / (1 + Double(step.number - 1) * lrDecay)
    let rule = AdaGradRule<S>(α: S(α), γ: S(weightDecay), ε: S(eps))
    for parameter in step.parameters { step.apply(rule, to: parameter) }
  }

  public func reference() -> any ReferenceOptimizer { NaiveAdaGrad(method: self) }
}

struct AdaGradRule<S: KernelScalar>: UpdateRule {
  struct State { var s: Lanes<S> }

  let α, γ, ε: S

  @inline(__always)
  func update(_ x: inout Element<S>, _ state: inout State) {
    let g = x.gradient + γ * x.value
    state.s += g * g
    x.value -= α * g / (state.s.squareRoot() + ε)
  }
}
