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
    hyperparameters: [
      .learningRate(1e-4, source: "Chen et al. 2023"),
      .average("beta1", "β₁, the average in the step", 0.9, source: "Chen et al. 2023"),
      .average("beta2", "β₂, the average that is kept", 0.99, source: "Chen et al. 2023"),
      .weightDecay(0, decoupled: true, source: "lion-pytorch"),
    ],
    invariances: [.lossScale, .elementPermutation, .sign], cost: Cost(flops: 9 * .P, elements: 5 * .P),
    stateSize: "P")

  public let settings: Settings

  public init(settings: Settings) { self.settings = settings }

  @specialized(where S == Float) @specialized(where S == Double)
  public func plan<S: KernelScalar>(_ step: inout Step<S>) throws(StepRefusal) {
    let α = settings.number("lr") * step.schedule
    let (β1, β2) = (settings.number("beta1"), settings.number("beta2"))
    let rule = LionRule<S>(
      α: S(α), shrink: S(1 - α * settings.number("weightDecay")), β1: S(β1), rest1: S(1 - β1), β2: S(β2),
      rest2: S(1 - β2))
    for parameter in step.parameters { step.apply(rule, to: parameter) }
  }

  public func reference() -> any ReferenceOptimizer { NaiveLion(settings) }
}

struct LionRule<S: KernelScalar>: UpdateRule {
  let α, shrink, β1, rest1, β2, rest2: S

  var slots: [String?] { ["m"] }

  @inline(__always)
  func update(_ x: inout Element<S>) {
    x.value = shrink * x.value - α * sign(β1 * x.first + rest1 * x.gradient)
    x.first = β2 * x.first + rest2 * x.gradient
  }
}
