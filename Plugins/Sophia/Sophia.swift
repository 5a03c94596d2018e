// Liu, Li, Hall, Liang & Ma: Sophia: A Scalable Stochastic Second-order Optimizer for Language Model Pre-training, ICLR 2024
// (arXiv 2305.14342), algorithm 3 with the estimators of algorithms 2 (Gauss-Newton-Bartlett) and 1 (Hutchinson).
//
//   q   the gradient of the mean loss for labels drawn from the model; B samples
//   h ← β₂·h + (1 − β₂)·q²                   in steps 1, 1 + k, 1 + 2·k …;  B·q² estimates the Gauss-Newton diagonal
//   m ← β₁·m + (1 − β₁)·g
//   θ ← (1 − α·γ)·θ − α·clip(m/(ρ·B·h + ε), 1)
//
//   Sophia-H, `estimator=hutchinson`:  u normal, h ← β₂·h + (1 − β₂)·u ⊙ (H·u), and max(ρ·h, 0) for ρ·B·h
//
// What is not taken from the paper is in Sophia.md.

import FisherCurvature
public import FisherLinearAlgebra
public import FisherOptimizers

/// A diagonal Newton step whose every coordinate is clipped, with a Gauss-Newton diagonal from drawn labels (Sophia-G) or an
/// estimate of the Hessian's (Sophia-H).
public struct Sophia: Optimizer {
  /// What the diagonal of the curvature is estimated by: the gradient for drawn labels, or a product of the Hessian.
  public enum Estimator: String, SettingChoice { case sampled, hutchinson }

  public static let record = OptimizerRecord(
    name: "sophia", title: "Sophia-G",
    summary: "A diagonal Newton step, clipped in every coordinate, with curvature from drawn labels.",
    paper:
      "Liu et al.: Sophia: A Scalable Stochastic Second-order Optimizer for Language Model Pre-training, "
      + "ICLR 2024", needs: [.gradients, .inputs, .sampledLabels, .hessianProducts],
    hyperparameters: Sophia.hyperparameters,
    invariances: [.unitPermutation, .sign], cost: cost, stateSize: "2·P",
    roles: Set(ParameterRole.allCases).subtracting([.plain]),
    probes: [
      ["hessianPeriod": 2, "rho": 2], ["hessianPeriod": 1, "beta1": 0],
      ["hessianPeriod": 3, "eps": 0.1, "beta2": 0],
      ["estimator": "hutchinson", "hessianPeriod": 2], ["estimator": "hutchinson", "rho": 0.3, "seed": 5],
    ].map { (probe: [String: SettingValue]) in ["lr": 0.05].merging(probe) { $1 } },
    treatsParametersApart: true)

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
  @Setting(
    "ρ: how much of the curvature divides; unless given 0.01 with estimator=hutchinson", .positive,
    source: "code of the authors; Liu et al. 2024")
  public var rho = 0.04
  @Setting("ε beside the curvature", .positive, source: "code of the authors") public var eps = 1e-15
  @Setting("γ: θ is multiplied by 1 − α·γ", .nonNegative, source: "code of the authors")
  public var weightDecay = 0.1
  @Setting("k: steps from one estimate of the curvature to the next", .atLeast(1), source: "Liu et al. 2024")
  public var hessianPeriod = 10

  @Setting("drawn labels, Sophia-G; or products of the Hessian, Sophia-H", source: "code of the authors")
  public var estimator = Estimator.sampled
  @Setting("seed of u, with estimator=hutchinson", .atLeast(0), source: "ours") public var seed = 0

  public init() {}

  /// What is left out has its default.
  public init(
    lr: Double? = nil, beta1: Double? = nil, beta2: Double? = nil, rho: Double? = nil, eps: Double? = nil,
    weightDecay: Double? = nil, hessianPeriod: Int? = nil, estimator: Estimator? = nil, seed: Int? = nil
  ) {
    _lr.set(lr)
    _beta1.set(beta1)
    _beta2.set(beta2)
    _rho.set(rho)
    _eps.set(eps)
    _weightDecay.set(weightDecay)
    _hessianPeriod.set(hessianPeriod)
    _estimator.set(estimator)
    _seed.set(seed)
  }

  private func estimates(_ number: Int) -> Bool { (number - 1) % hessianPeriod == 0 }

  public func needs(step number: Int) -> Needs {
    if !estimates(number) { return .gradients }
    return estimator == .sampled ? [.gradients, .inputs, .sampledLabels] : [.gradients, .hessianProducts]
  }

  public func plan<S: KernelScalar>(_ step: inout Step<S>) throws(StepRefusal) {
    if estimates(step.number) && !step.parameters.isEmpty {
      if estimator == .sampled { try averageCurvature(&step) } else { try averageHessian(&step) }
    }
    let α = lr * step.schedule
    let rule = SophiaRule<S>(
      α: S(α), shrink: S(1 - α * weightDecay), β1: S(beta1), rest1: S(1 - beta1),
      ρB: S(ρ * (estimator == .sampled ? Double(step.objective.sampleCount) : 1)), ε: S(eps))
    for parameter in step.parameters { step.apply(rule, to: parameter) }
  }

  /// That of the estimator, unless one was given.
  var ρ: Double { $rho.or(0.01, if: estimator == .hutchinson) }

  public func reference() -> any ReferenceOptimizer { NaiveSophia(method: self) }

  /// h ← β₂·h + (1 − β₂)·q².
  private func averageCurvature<S: KernelScalar>(_ step: inout Step<S>) throws(StepRefusal) {
    let captures = try FisherLabels.sampled.shardedCaptures(in: step, for: Self.record.name)
    for parameter in step.parameters {
      guard let q = try step.gradient(of: parameter, from: captures) else { continue }
      step.accumulateSquares("h", of: parameter.name, keeping: beta2, adding: 1 - beta2, of: q)
    }
  }
}

extension Sophia {
  /// h ← β₂·h + (1 − β₂)·u ⊙ (H·u).
  private func averageHessian<S: KernelScalar>(_ step: inout Step<S>) throws(StepRefusal) {
    let u = step.probes(.normal, seed: seed)
    let Hu = try step.objective.hessianProduct(along: u)
    let threads = step.threads
    for parameter in step.parameters {
      guard let u = u[parameter.name], let product = Hu[parameter.name] else {
        throw .failed(optimizer: Self.record.name, place: parameter.name, reason: "no product of the Hessian")
      }
      let estimate = step.temporary(rows: u.rows, columns: u.columns) {
        $0.assign(Estimate(), of: u, product, threads: threads)
      }
      step.accumulate("h", of: parameter.name, keeping: beta2, adding: 1 - beta2, of: estimate)
    }
  }
}

/// u·(H·u)
private struct Estimate<Scalar: KernelScalar>: PairFunction {
  @inline(__always)
  func value(_ u: Lanes<Scalar>, _ product: Lanes<Scalar>) -> Lanes<Scalar> { u * product }
}

struct SophiaRule<S: KernelScalar>: UpdateRule {
  struct State { var m, h: Lanes<S> }

  let α, shrink, β1, rest1, ρB, ε: S

  @inline(__always)
  func update(_ x: inout Element<S>, _ state: inout State) {
    state.m = β1 * state.m + rest1 * x.gradient
    // An estimate of the Hessian may be negative.
    let ratio = state.m / (Lanes.maximum(ρB * state.h, Lanes.zero) + ε)
    let least = Lanes(repeating: S(-1))
    // −min(1, max(−1, ratio))
    let opposite = Lanes.maximum(-1 * Lanes.maximum(ratio, least), least)
    x.value = shrink * x.value + α * opposite
  }
}
