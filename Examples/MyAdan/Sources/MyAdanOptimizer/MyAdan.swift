// Adan: Xie, Zhou, Li, Lin & Yan: Adan: Adaptive Nesterov Momentum Algorithm, 2022 (arXiv 2208.06677), algorithm 1.
//
//   d ← g − the gradient of the step before, 0 in the first step
//   m ← β₁·m + (1 − β₁)·g
//   v ← β₂·v + (1 − β₂)·d
//   n ← β₃·n + (1 − β₃)·(g + β₂·d)²
//   θ ← (θ − α·(m̂ + β₂·v̂)/(√n̂ + ε))/(1 + α·γ),  each average over 1 − βᵗ

public import FisherKit

/// Nesterov momentum from the differences of gradients, divided by the size of gradients.
public struct MyAdan: Optimizer {
  public static let record = OptimizerRecord(
    name: "my-adan", title: "Adan", summary: "Nesterov momentum from the differences of gradients.",
    paper: "Xie et al.: Adan, 2022", hyperparameters: MyAdan.hyperparameters,
    invariances: [.lossScale, .elementPermutation, .sign], cost: Cost(flops: 22 * .P, elements: 11 * .P),
    stateSize: "4·P", dependsOnStepNumber: true, weightDecay: .implicit, constantResponse: .equal,
    treatsParametersApart: true, degree: 0)

  @Setting("learning rate α", .positive, source: "paper, section 5") var lr = 1e-3
  @Setting("β₁ of the average of g", .halfOpen(0, 1), source: "official code") var beta1 = 0.98
  @Setting("β₂ of the average of d", .halfOpen(0, 1), source: "official code") var beta2 = 0.92
  @Setting("β₃ of the second moment", .halfOpen(0, 1), source: "official code") var beta3 = 0.99
  @Setting("ε, added to the denominator", .nonNegative, source: "official code") var eps = 1e-8
  @Setting("γ of the proximal step", .nonNegative, source: "paper, section 5") var weightDecay = 0.02

  public init() {}

  public func plan<S: KernelScalar>(_ step: inout Step<S>) throws(StepRefusal) {
    let (α, t) = (lr * step.schedule, step.number)
    func corrected(_ β: Double) -> Double { 1 - β.raised(to: t) }
    let rule = MyAdanRule<S>(
      αm: S(α / corrected(beta1)), αv: S(α * beta2 / corrected(beta2)), shrink: S(1 / (1 + α * weightDecay)),
      correction: S(1 / corrected(beta3).squareRoot()), β1: S(beta1), rest1: S(1 - beta1), β2: S(beta2),
      rest2: S(1 - beta2), β3: S(beta3), rest3: S(1 - beta3), ε: S(eps), isFirst: t == 1)
    for parameter in step.parameters { step.apply(rule, to: parameter) }
  }

  public func reference() -> any ReferenceOptimizer { NaiveMyAdan(method: self) }
}

struct MyAdanRule<S: KernelScalar>: UpdateRule {
  /// The averages, and the gradient of the step before.
  struct State { var m, v, n, g: Lanes<S> }

  let αm, αv, shrink, correction, β1, rest1, β2, rest2, β3, rest3, ε: S
  let isFirst: Bool

  func update(_ x: inout Element<S>, _ state: inout State) {
    let d = isFirst ? .zero : x.gradient - state.g
    let ahead = x.gradient + β2 * d
    state.m = β1 * state.m + rest1 * x.gradient
    state.v = β2 * state.v + rest2 * d
    state.n = β3 * state.n + rest3 * ahead * ahead
    state.g = x.gradient
    x.value =
      shrink * (x.value - (αm * state.m + αv * state.v) / (state.n.squareRoot() * correction + ε))
  }
}

/// From the definition: each average is a sum over all steps so far.
struct NaiveMyAdan: ReferenceOptimizer {
  let method: MyAdan
  var gradients: [[[Double]]] = []

  mutating func step(_ step: inout ReferenceStep) {
    gradients.append(step.gradients)
    let (α, β2) = (method.lr * step.schedule, method.beta2)
    for p in step.values.indices {
      for i in step.values[p].indices {
        let g = gradients.map { $0[p][i] }
        let d = g.indices.map { $0 == 0 ? 0 : g[$0] - g[$0 - 1] }
        let m = average(method.beta1, g)
        let v = average(β2, d)
        let n = average(method.beta3, zip(g, d).map { ($0 + β2 * $1) * ($0 + β2 * $1) })
        let direction = (m + β2 * v) / (n.squareRoot() + method.eps)
        step.values[p][i] = (step.values[p][i] - α * direction) / (1 + α * method.weightDecay)
      }
    }
  }

  /// (1 − β)·Σ βᵗ⁻ˢ·xₛ over 1 − βᵗ: weights that add up to 1.
  private func average(_ β: Double, _ x: [Double]) -> Double {
    let sum = x.reduce((value: 0.0, weights: 0.0)) { (β * $0.value + $1, β * $0.weights + 1) }
    return sum.value / sum.weights
  }
}
