// Ren & Goldfarb: Tensor Normal Training for Deep Learning Models, NeurIPS 2021 (arXiv 2106.02925).
//
//   S    the mean gradient of a parameter for labels drawn from the model: a tensor of k axes, n₁ … n_k, N elements
//   Hᵢ ← ρ·Hᵢ + (1 − ρ)·S₍ᵢ₎·S₍ᵢ₎ᵀ            every T₁ steps, S₍ᵢ₎ with axis i as its rows
//   Uᵢ = Hᵢ/(c^(k−1)·Π_{j≠i} nⱼ),  c = (tr H₁/N)^(1/k): the mean eigenvalue of every Uᵢ is c, of their product tr H₁/N
//   Iᵢ = (Uᵢ + ε·I)⁻¹                          every T₂ steps, parameter by parameter
//   M ← μ·M + ∇L,  Δ = M ×₁ I₁ … ×_k I_k       θ ← (1 − α·γ)·θ − α·Δ
//
// The covariance of S, taken as that of a tensor normal distribution, is the Fisher matrix over the samples of a batch.
// See TNT.md.

import FisherCurvature
public import FisherLinearAlgebra
public import FisherOptimizers

/// Natural gradient where the gradient of each parameter is taken as a tensor normal variable (TNT).
public struct TNT: Optimizer {
  @Setting("learning rate α", .positive, source: "ours, from a grid on digits") public var lr = 3e-4
  @Setting("ε, added to every Uᵢ", .positive, source: "ours, from a grid on digits") public var damping = 0.1
  @Setting(
    "labels of S: drawn from the model, or those of the data", source: "Ren & Goldfarb 2021")
  public var statistics = FisherLabels.sampled
  @Setting(
    "β: the most that an update of the statistics keeps of them", .halfOpen(0, 1),
    source: "code of its authors")
  public var beta = 0.9
  @Setting(
    "T₁: steps from one update of the statistics to the next", .atLeast(1),
    source: "code of its authors, autoencoders; 10 for convolutions")
  public var statisticsPeriod = 1
  @Setting(
    "T₂: steps from one refresh of a parameter's inverses to the next; parameters take turns", .atLeast(1),
    source: "code of its authors, autoencoders; 100 for convolutions")
  public var refreshPeriod = 20
  public var preconditioning = Preconditioning(
    momentum: 0.9, placement: .before, source: "code of its authors", klClip: 0,
    klSource: "the method has none")

  public init() {}

  /// What is left out has its default.
  public init(
    lr: Double? = nil, damping: Double? = nil, statistics: FisherLabels? = nil, beta: Double? = nil,
    statisticsPeriod: Int? = nil, refreshPeriod: Int? = nil, momentum: Double? = nil,
    placement: MomentumPlacement? = nil, weightDecay: Double? = nil, klClip: Double? = nil
  ) {
    _lr.set(lr)
    _damping.set(damping)
    _statistics.set(statistics)
    _beta.set(beta)
    _statisticsPeriod.set(statisticsPeriod)
    _refreshPeriod.set(refreshPeriod)
    preconditioning.set(
      momentum: momentum, placement: placement, weightDecay: weightDecay, klClip: klClip)
  }

  private func plan(step number: Int) -> RefreshPlan {
    RefreshPlan(
      step: number, statisticsPeriod: statisticsPeriod, refreshPeriod: refreshPeriod, keeping: beta)
  }

  /// The gradient of the data's labels is there in any case.
  public func needs(step number: Int) -> Needs {
    statistics == .sampled && plan(step: number).updatesStatistics
      ? statistics.needs.union(.gradients) : .gradients
  }

  public func plan<S: KernelScalar>(_ step: inout Step<S>) throws(StepRefusal) {
    let plan = plan(step: step.number)
    let tensors = step.parameters.map { TensorModes($0) }
    if plan.updatesStatistics {
      let isSampled = statistics == .sampled
      let captures = isSampled ? try statistics.shardedCaptures(in: step, for: Self.record.name) : nil
      for tensor in tensors {
        let gradient =
          if let captures {
            try step.gradient(of: tensor.parameter, from: captures)
          } else {
            Optional(step.gradient(tensor.parameter))
          }
        tensor.average(gradient, keeping: plan.kept, &step)
      }
    }
    try step.invert(plan.refreshed(tensors).flatMap { $0.dampedFactors(damping, in: step) })
    var directions: [(layer: KroneckerLayer, Δ: Matrix<S>, V: Matrix<S>)] = []
    for tensor in tensors {
      let V = preconditioning.vector(of: tensor.layer, &step)
      directions.append((tensor.layer, try tensor.direction(V, &step), V))
    }
    preconditioning.stage(directions, lr: lr, &step)
  }

  public func reference() -> any ReferenceOptimizer { NaiveTNT(method: self) }
}
