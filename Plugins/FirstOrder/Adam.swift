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
public struct Adam: Optimizer {
  public static let record = OptimizerRecord(
    name: "adam", title: "Adam", summary: "Divides the averaged gradient by the root of its averaged square.",
    paper:
      "Kingma & Ba: Adam, ICLR 2015; Reddi, Kale & Kumar: On the Convergence of Adam, ICLR 2018 (AMSGrad)",
    hyperparameters: AdamRule<Float>.hyperparameters(decay: 0, decoupled: false),
    invariances: [.lossScale, .elementPermutation, .sign], cost: AdamRule<Float>.cost,
    stateSize: AdamRule<Float>.stateSize, promises: [.gradientInTheLimit: ["eps": 1e9]],
    dependsOnStepNumber: true)

  public let settings: Settings

  public init(settings: Settings) { self.settings = settings }

  @specialized(where S == Float) @specialized(where S == Double)
  public func plan<S: KernelScalar>(_ step: inout Step<S>) throws(StepRefusal) {
    let rule = AdamRule<S>(settings, step.number, schedule: step.schedule, decoupled: false)
    for parameter in step.parameters { step.apply(rule, to: parameter) }
  }

  public func reference() -> any ReferenceOptimizer { NaiveAdam(settings, decoupled: false) }
}

/// Adam with the decay beside the update, where it does not pass through the averages.
public struct AdamW: Optimizer {
  public static let record = OptimizerRecord(
    name: "adamw", title: "AdamW", summary: "Adam with weight decay that does not pass through its averages.",
    paper: "Loshchilov & Hutter: Decoupled Weight Decay Regularization, ICLR 2019",
    hyperparameters: AdamRule<Float>.hyperparameters(decay: 0.01, decoupled: true),
    invariances: [.lossScale, .elementPermutation, .sign], cost: AdamRule<Float>.cost,
    stateSize: AdamRule<Float>.stateSize, promises: [.gradientInTheLimit: ["eps": 1e9]],
    dependsOnStepNumber: true)

  public let settings: Settings

  public init(settings: Settings) { self.settings = settings }

  @specialized(where S == Float) @specialized(where S == Double)
  public func plan<S: KernelScalar>(_ step: inout Step<S>) throws(StepRefusal) {
    let rule = AdamRule<S>(settings, step.number, schedule: step.schedule, decoupled: true)
    for parameter in step.parameters { step.apply(rule, to: parameter) }
  }

  public func reference() -> any ReferenceOptimizer { NaiveAdam(settings, decoupled: true) }
}

struct AdamRule<S: KernelScalar>: UpdateRule {
  /// α/(1 − β₁ᵗ), the γ inside of the gradient, 1 − α·γ beside it, 1/√(1 − β₂ᵗ).
  let α, γ, shrink, correction: S
  let β1, rest1, β2, rest2, ε: S
  let isAMSGrad: Bool

  init(_ settings: Settings, _ t: Int, schedule: Double, decoupled: Bool) {
    let (β1, β2) = (settings.number("beta1"), settings.number("beta2"))
    let (lr, decay) = (settings.number("lr") * schedule, settings.number("weightDecay"))
    α = S(lr / (1 - power(β1, t)))
    γ = S(decoupled ? 0 : decay)
    shrink = S(decoupled ? 1 - lr * decay : 1)
    correction = S(1 / (1 - power(β2, t)).squareRoot())
    (self.β1, rest1, self.β2, rest2) = (S(β1), S(1 - β1), S(β2), S(1 - β2))
    ε = S(settings.number("eps"))
    isAMSGrad = settings.flag("amsgrad")
  }

  var slots: [String?] { ["m", "v", isAMSGrad ? "vMax" : nil] }

  @inline(__always)
  func update(_ x: inout Element<S>) {
    let g = x.gradient + γ * x.value
    x.first = β1 * x.first + rest1 * g
    x.second = β2 * x.second + rest2 * g * g
    var v = x.second
    if isAMSGrad {
      x.third = maximum(x.third, v)
      v = x.third
    }
    x.value = shrink * x.value - α * x.first / (squareRoot(v) * correction + ε)
  }

  static var cost: Cost { Cost(flops: 16 * .P, elements: 7 * .P) }
  static var stateSize: String { "2·P; 3·P with AMSGrad" }

  static func hyperparameters(decay: Double, decoupled: Bool) -> [Hyperparameter] {
    [
      .learningRate(1e-3, source: "Kingma & Ba 2015"),
      .average("beta1", "β₁ of the average of g", 0.9, source: "Kingma & Ba 2015"),
      .average("beta2", "β₂ of the average of g²", 0.999, source: "Kingma & Ba 2015"),
      .epsilon(1e-8, source: "Kingma & Ba 2015"),
      .weightDecay(decay, decoupled: decoupled, source: "PyTorch"),
      Hyperparameter("amsgrad", "divide by the largest v so far", false, .flag, source: "PyTorch"),
    ]
  }
}
