// George et al.: Fast Approximate Natural Gradient Descent in a Kronecker-factored Eigenbasis, NeurIPS 2018 (arXiv
// 1806.03884).
//
//   A, G   K-FAC's factors, averaged every T₁ steps
//   A = U_A·diag(a)·U_Aᵀ,  G = U_G·diag(b)·U_Gᵀ                  every T₂ steps, layer by layer
//   S = mean over samples of (U_Gᵀ·d·hᵀ·U_A)²                    elementwise: moments = batch
//   S ← c·S + (1 − c)·m·(U_Gᵀ·∇L·U_A)², from b·aᵀ                or of the mean gradient: moments = running
//   Δ = U_G·((U_Gᵀ·V·U_A) ⊘ (S + ε))·U_Aᵀ                        V the gradient, or its momentum
//   θ ← θ − α·ν·Δ
//
// What is not taken from the paper is in EKFAC.md.

public import FisherCurvature
public import FisherLinearAlgebra
public import FisherOptimizers

/// Natural gradient with second moments of its own for every coordinate in K-FAC's eigenbasis (EKFAC).
public struct EKFAC: Optimizer {
  /// What S is the second moment of.
  public enum Moments: String, SettingChoice {
    /// The samples' gradients of this batch.
    case batch
    /// The mean gradients of past batches.
    case running
  }

  @Setting("learning rate α", .positive, source: "ours, from a grid on digits") public var lr = 0.03
  @Setting("ε, added to S", .positive, source: "ours, from a grid on digits") public var damping = 0.3
  @Setting(
    "labels of the statistics: drawn from the model, or those of the data", source: "George et al. 2018")
  public var statistics = FisherLabels.sampled
  @Setting(
    "second moments: of this batch's samples, or a running average over mean gradients",
    source: "George et al. 2018, section 3.3")
  public var moments = Moments.batch
  @Setting("c: how much of running moments stays in a step", .closed(0, 1), source: "Thrandis/EKFAC-pytorch")
  public var momentDecay = 0.75
  public var factors = FactorAverages()
  public var preconditioning = Preconditioning(
    momentum: 0.9, source: "as K-FAC here", klClip: 1e-3, klSource: "as K-FAC here")

  public init() {}

  /// What is left out has its default.
  public init(
    lr: Double? = nil, damping: Double? = nil, statistics: FisherLabels? = nil, moments: Moments? = nil,
    momentDecay: Double? = nil, beta: Double? = nil, sharing: WeightSharing? = nil,
    statisticsPeriod: Int? = nil, refreshPeriod: Int? = nil, momentum: Double? = nil,
    placement: MomentumPlacement? = nil, weightDecay: Double? = nil, klClip: Double? = nil
  ) {
    _lr.set(lr)
    _damping.set(damping)
    _statistics.set(statistics)
    _moments.set(moments)
    _momentDecay.set(momentDecay)
    factors.set(
      beta: beta, sharing: sharing, statisticsPeriod: statisticsPeriod, refreshPeriod: refreshPeriod)
    preconditioning.set(
      momentum: momentum, placement: placement, weightDecay: weightDecay, klClip: klClip)
  }

  public func needs(step number: Int) -> Needs {
    let wantsCaptures = moments == .batch || factors.plan(step: number).updatesStatistics
    return wantsCaptures ? statistics.needs.union(.gradients) : .gradients
  }

  public func plan<S: KernelScalar>(_ step: inout Step<S>) throws(StepRefusal) {
    let plan = factors.plan(step: step.number)
    let layers = KroneckerLayer.layers(of: step.parameters)
    var captures: ShardedCaptures<S>?
    if !needs(step: step.number).isDisjoint(with: [.captures, .sampledLabels]) {
      captures = try statistics.shardedCaptures(in: step, for: Self.record.name)
    }
    if plan.updatesStatistics, let captures {
      try factors.update(layers, from: captures, keeping: plan.kept, &step)
    }
    let refreshed = plan.refreshed(layers)
    try refreshBases(of: refreshed, &step)
    var directions: [(layer: KroneckerLayer, Δ: Matrix<S>, V: Matrix<S>)] = []
    for layer in layers {
      let basis = try EigenBasis(of: layer, in: step)
      let V = preconditioning.vector(of: layer, &step)
      let coordinates = basis.rotate(V, &step)
      let moments: Matrix<S>
      if self.moments == .batch {
        moments = try basis.batchMoments(of: layer, captures, &step)
      } else {
        let gradient =
          preconditioning.gathersGradients ? rotatedGradient(of: layer, basis, &step) : coordinates
        moments = basis.runningMoments(
          of: layer, gradient, keeping: momentDecay, isNew: refreshed.contains(layer), &step)
      }
      directions.append((layer, basis.divide(coordinates, by: moments, plus: damping, &step), V))
    }
    preconditioning.stage(directions, lr: lr, &step)
  }

  public func reference() -> any ReferenceOptimizer { NaiveEKFAC(method: self) }

  /// U_A, a, U_G and b of these layers, all in one go.
  private func refreshBases<S: KernelScalar>(
    of layers: [KroneckerLayer], _ step: inout Step<S>
  ) throws(StepRefusal) {
    var factors: [EigenFactor<S>] = []
    for layer in layers {
      let A = try layer.inputState("A", in: step, for: Self.record.name)
      let G = try layer.outputState("G", in: step, for: Self.record.name)
      factors.append(EigenFactor(A, vectors: "UA", values: "a", of: layer.owner))
      factors.append(EigenFactor(G, vectors: "UG", values: "b", of: layer.owner))
    }
    try step.decompose(factors)
  }

  /// The coordinates of the gradient, where V is another vector.
  private func rotatedGradient<S: KernelScalar>(
    of layer: KroneckerLayer, _ basis: EigenBasis<S>, _ step: inout Step<S>
  ) -> Matrix<S> {
    var g = Matrix<S>(rows: layer.outputs, columns: layer.inputs)
    layer.gradient(in: step, into: &g)
    return basis.rotate(g, &step)
  }
}
