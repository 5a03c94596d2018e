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
    hyperparameters: [
      .learningRate(0.01, source: "PyTorch"),
      .average("rho", "ρ of the average of g²", 0.99, source: "PyTorch"),
      .epsilon(1e-8, source: "PyTorch"),
      .average("momentum", "μ", 0, source: "PyTorch"),
      Hyperparameter("centered", "subtract the squared mean", false, .flag, source: "PyTorch"),
      .weightDecay(0, decoupled: false, source: "PyTorch"),
    ],
    invariances: [.lossScale, .elementPermutation, .sign],
    cost: Cost(flops: 13 * .P, elements: 5 * .P, note: "2·P elements more for momentum and for centring"),
    stateSize: "P; and P each for momentum and centring",
    promises: [.gradientInTheLimit: ["eps": 1e9]])

  public let settings: Settings

  public init(settings: Settings) { self.settings = settings }

  @specialized(where S == Float) @specialized(where S == Double)
  public func plan<S: KernelScalar>(_ step: inout Step<S>) throws(StepRefusal) {
    let ρ = settings.number("rho")
    let rule = RMSpropRule<S>(
      α: S(settings.number("lr") * step.schedule), γ: S(settings.number("weightDecay")), ρ: S(ρ),
      rest: S(1 - ρ), ε: S(settings.number("eps")), μ: S(settings.number("momentum")),
      isCentered: settings.flag("centered"))
    for parameter in step.parameters { step.apply(rule, to: parameter) }
  }

  public func reference() -> any ReferenceOptimizer { NaiveRMSprop(settings) }
}

struct RMSpropRule<S: KernelScalar>: UpdateRule {
  let α, γ, ρ, rest, ε, μ: S
  let isCentered: Bool

  var slots: [String?] { ["v", μ > 0 ? "b" : nil, isCentered ? "a" : nil] }

  @inline(__always)
  func update(_ x: inout Element<S>) {
    let g = x.gradient + γ * x.value
    x.first = ρ * x.first + rest * g * g
    var v = x.first
    if isCentered {
      x.third = ρ * x.third + rest * g
      // Rounding may leave a difference just below zero.
      v = maximum(v - x.third * x.third, .zero)
    }
    x.second = μ * x.second + g / (squareRoot(v) + ε)
    x.value -= α * x.second
  }
}
