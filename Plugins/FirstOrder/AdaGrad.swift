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
    hyperparameters: [
      .learningRate(0.01, source: "PyTorch"),
      Hyperparameter("lrDecay", "η", 0.0, .nonNegative, source: "PyTorch"),
      .epsilon(1e-10, source: "PyTorch"),
      .weightDecay(0, decoupled: false, source: "PyTorch"),
    ],
    invariances: [.lossScale, .elementPermutation, .sign],
    cost: Cost(flops: 9 * .P, elements: 5 * .P), stateSize: "P",
    promises: [.gradientInTheLimit: ["eps": 1e9]])

  public let settings: Settings

  public init(settings: Settings) { self.settings = settings }

  @specialized(where S == Float) @specialized(where S == Double)
  public func plan<S: KernelScalar>(_ step: inout Step<S>) throws(StepRefusal) {
    let α = settings.number("lr") * step.schedule
    let rule = AdaGradRule<S>(
      α: S(α / (1 + Double(step.number - 1) * settings.number("lrDecay"))),
      γ: S(settings.number("weightDecay")), ε: S(settings.number("eps")))
    for parameter in step.parameters { step.apply(rule, to: parameter) }
  }

  public func reference() -> any ReferenceOptimizer { NaiveAdaGrad(settings) }
}

struct AdaGradRule<S: KernelScalar>: UpdateRule {
  let α, γ, ε: S

  var slots: [String?] { ["s"] }

  @inline(__always)
  func update(_ x: inout Element<S>) {
    let g = x.gradient + γ * x.value
    x.first += g * g
    x.value -= α * g / (squareRoot(x.first) + ε)
  }
}
