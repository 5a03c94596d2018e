// Adam: Kingma & Ba, ICLR 2015, algorithm 1. AMSGrad: Reddi, Kale & Kumar, ICLR 2018.
// AdamW: Loshchilov & Hutter, ICLR 2019, algorithm 2.
//
//   Adam:  g ← g + γ·θ          AdamW:  θ ← (1 − α·γ)·θ
//   m ← β₁·m + (1 − β₁)·g
//   v ← β₂·v + (1 − β₂)·g²,  with AMSGrad the largest v so far in the next line
//   θ ← θ − α/(1 − β₁ᵗ) · m/(√v/√(1 − β₂ᵗ) + ε)
//
// Deviations: AMSGrad takes the maximum before the bias correction, which the paper has not, as PyTorch does.

public import FisherLinearAlgebra
public import FisherOptimizers

/// Running averages of the gradient and its square, with the decay inside of the gradient.
public typealias Adam = AdamMethod<CoupledDecay>

/// Adam with the decay beside the update, where it does not pass through the averages.
public typealias AdamW = AdamMethod<DecoupledDecay>

/// ``Adam`` and ``AdamW``.
public struct AdamMethod<Decay: DecayForm>: Optimizer {
  public static var record: OptimizerRecord { Decay.isDecoupled ? AdamRecord.decoupled : AdamRecord.coupled }

  @Setting("learning rate α", .positive, source: "Kingma & Ba 2015") public var lr = 1e-3
  @Setting("β₁ of the average of g", .halfOpen(0, 1), source: "Kingma & Ba 2015") public var beta1 = 0.9
  @Setting("β₂ of the average of g²", .halfOpen(0, 1), source: "Kingma & Ba 2015") public var beta2 = 0.999
  @Setting("ε, added to the denominator", .nonNegative, source: "Kingma & Ba 2015") public var eps = 1e-8
  @Setting(Decay.meaning, .nonNegative, source: "PyTorch") public var weightDecay =
    Decay.isDecoupled ? 0.01 : 0
  @Setting("divide by the largest v so far", source: "PyTorch") public var amsgrad = false

  public init() {}

  /// What is left out has its default.
  public init(
    lr: Double? = nil, beta1: Double? = nil, beta2: Double? = nil, eps: Double? = nil,
    weightDecay: Double? = nil, amsgrad: Bool? = nil
  ) {
    _lr.set(lr)
    _beta1.set(beta1)
    _beta2.set(beta2)
    _eps.set(eps)
    _weightDecay.set(weightDecay)
    _amsgrad.set(amsgrad)
  }

  public func plan<S: KernelScalar>(_ step: inout Step<S>) throws(StepRefusal) {
    let (α, t) = (lr * step.schedule, step.number)
    let rule = AdamRule<S>(
      α: α, t: t, β1: beta1, β2: beta2, ε: eps, coupledDecay: Decay.isDecoupled ? 0 : weightDecay,
      decoupledDecay: Decay.isDecoupled ? weightDecay : 0, isAMSGrad: amsgrad)
    rule.stage(&step)
  }

  public func reference() -> any ReferenceOptimizer { NaiveAdam(method: self) }
}

extension AdamRule {
  /// A method that is generic itself is made into a text for each element type only where it says so: here, where
  /// nothing depends on the form of the decay.
  @specialized(where Scalar == Float) @specialized(where Scalar == Double)
  fileprivate func stage(_ step: inout Step<Scalar>) {
    for parameter in step.parameters { step.apply(self, to: parameter) }
  }
}

private enum AdamRecord {
  static let coupled = record(
    Adam.self, name: "adam", title: "Adam",
    summary: "Divides the averaged gradient by the root of its averaged square.",
    paper:
      "Kingma & Ba: Adam, ICLR 2015; Reddi, Kale & Kumar: On the Convergence of Adam, ICLR 2018 (AMSGrad)",
    decay: .coupled)
  static let decoupled = record(
    AdamW.self, name: "adamw", title: "AdamW",
    summary: "Adam with weight decay that does not pass through its averages.",
    paper: "Loshchilov & Hutter: Decoupled Weight Decay Regularization, ICLR 2019", decay: .decoupled)

  private static func record(
    _ type: any Optimizer.Type, name: String, title: String, summary: String, paper: String,
    decay: WeightDecay
  ) -> OptimizerRecord {
    OptimizerRecord(
      name: name, title: title, summary: summary, paper: paper, hyperparameters: type.hyperparameters,
      invariances: [.lossScale, .elementPermutation, .sign], cost: Cost(flops: 16 * .P, elements: 7 * .P),
      stateSize: "2·P; 3·P with AMSGrad",
      promises: [
        .gradientInTheLimit: ["eps": 1e9],
        .signDescent: ["beta1": 0, "beta2": 0, "eps": 0, "weightDecay": 0],
      ],
      dependsOnStepNumber: true, weightDecay: decay, constantResponse: .equal,
      treatsParametersApart: true, degree: 0)
  }
}
