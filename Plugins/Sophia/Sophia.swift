// Liu, Li, Hall, Liang & Ma: Sophia: A Scalable Stochastic Second-order Optimizer for Language Model Pre-training, ICLR 2024
// (arXiv 2305.14342), algorithm 3 with the estimator of algorithm 2 (Gauss-Newton-Bartlett).
//
//   q   the gradient of the mean loss for labels drawn from the model; B samples
//   h ← β₂·h + (1 − β₂)·q²                   in steps 1, 1 + k, 1 + 2·k …;  B·q² estimates the Gauss-Newton diagonal
//   m ← β₁·m + (1 − β₁)·g
//   θ ← (1 − α·γ)·θ − α·clip(m/(ρ·B·h + ε), 1)
//
// What is not taken from the paper is in Sophia.md.

import FisherCurvature
public import FisherLinearAlgebra
public import FisherOptimizers

/// A diagonal Newton step whose every coordinate is clipped, with a Gauss-Newton diagonal from drawn labels (Sophia-G).
public struct Sophia: Optimizer {
  public static let record = OptimizerRecord(
    name: "sophia", title: "Sophia-G",
    summary: "A diagonal Newton step, clipped in every coordinate, with curvature from drawn labels.",
    paper:
      "Liu et al.: Sophia: A Scalable Stochastic Second-order Optimizer for Language Model Pre-training, "
      + "ICLR 2024", needs: [.gradients, .inputs, .sampledLabels], hyperparameters: Sophia.hyperparameters,
    invariances: [.unitPermutation, .sign], cost: cost, stateSize: "2·P",
    roles: Set(ParameterRole.allCases).subtracting([.plain]),
    probes: [
      ["hessianPeriod": 2, "rho": 2], ["hessianPeriod": 1, "beta1": 0],
      ["hessianPeriod": 3, "eps": 0.1, "beta2": 0],
    ].map { (probe: [String: SettingValue]) in ["lr": 0.05].merging(probe) { $1 } })

  private static var cost: Cost {
    let k = Formula.period("k", "hessianPeriod")
    return Cost(
      [Cost.Part(.parameter, flops: 10 * .P + (4 * .P + 2 * .N * .P) / k, elements: 7 * .P + 2 * .P / k)],
      note: "beside a second backward pass every k steps")
  }

  @Setting("learning rate α", .positive, source: "ours, from a grid on digits") public var lr = 5e-4
  @Setting("β₁ of the average of the gradients", .halfOpen(0, 1), source: "code of the authors")
  public var beta1 = 0.965
  @Setting("β₂ of the average of the curvature", .halfOpen(0, 1), source: "code of the authors")
  public var beta2 = 0.99
  @Setting("ρ: how much of the curvature divides", .positive, source: "code of the authors")
  public var rho = 0.04
  @Setting("ε beside the curvature", .positive, source: "code of the authors") public var eps = 1e-15
  @Setting("γ: θ is multiplied by 1 − α·γ", .nonNegative, source: "code of the authors")
  public var weightDecay = 0.1
  @Setting("k: steps from one estimate of the curvature to the next", .atLeast(1), source: "Liu et al. 2024")
  public var hessianPeriod = 10

  public init() {}

  /// What is left out has its default.
  public init(
    lr: Double? = nil, beta1: Double? = nil, beta2: Double? = nil, rho: Double? = nil, eps: Double? = nil,
    weightDecay: Double? = nil, hessianPeriod: Int? = nil
  ) {
    _lr.set(lr)
    _beta1.set(beta1)
    _beta2.set(beta2)
    _rho.set(rho)
    _eps.set(eps)
    _weightDecay.set(weightDecay)
    _hessianPeriod.set(hessianPeriod)
  }

  private func estimates(_ number: Int) -> Bool { (number - 1) % hessianPeriod == 0 }

  public func needs(step number: Int) -> Needs {
    estimates(number) ? [.gradients, .inputs, .sampledLabels] : .gradients
  }

  public func plan<S: KernelScalar>(_ step: inout Step<S>) throws(StepRefusal) {
    if estimates(step.number) && !step.parameters.isEmpty { try averageCurvature(&step) }
    let α = lr * step.schedule
    let rule = SophiaRule<S>(
      α: S(α), shrink: S(1 - α * weightDecay), β1: S(beta1), rest1: S(1 - beta1),
      ρB: S(rho * Double(step.objective.sampleCount)), ε: S(eps))
    for parameter in step.parameters { step.apply(rule, to: parameter) }
  }

  public func reference() -> any ReferenceOptimizer { NaiveSophia(method: self) }

  /// h ← β₂·h + (1 − β₂)·q².
  private func averageCurvature<S: KernelScalar>(_ step: inout Step<S>) throws(StepRefusal) {
    let captures = try FisherLabels.sampled.captures(in: step, for: Self.record.name)
    for parameter in step.parameters {
      guard let q = step.gradient(of: parameter, from: captures, as: "q") else { continue }
      step.accumulateSquares("h", of: parameter.name, keeping: beta2, adding: 1 - beta2, of: q)
    }
  }
}

struct SophiaRule<S: KernelScalar>: UpdateRule {
  struct State { var m, h: Lanes<S> }

  let α, shrink, β1, rest1, ρB, ε: S

  @inline(__always)
  func update(_ x: inout Element<S>, _ state: inout State) {
    state.m = β1 * state.m + rest1 * x.gradient
    let ratio = state.m / (ρB * state.h + ε)
    let least = Lanes(repeating: S(-1))
    // −min(1, max(−1, ratio))
    let opposite = Lanes.maximum(-1 * Lanes.maximum(ratio, least), least)
    x.value = shrink * x.value + α * opposite
  }
}
