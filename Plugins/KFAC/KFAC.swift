// Martens & Grosse: Optimizing Neural Networks with Kronecker-factored Approximate Curvature, ICML 2015 (arXiv
// 1503.05671); convolutions: Grosse & Martens, ICML 2016 (arXiv 1602.01407).
//
//   h, d   rows of a layer's inputs, with a 1 for the bias, and of its output gradients, labels drawn from the model
//   A ← ρ·A + (1 − ρ)·mean of h·hᵀ,  G ← ρ·G + (1 − ρ)·mean of d·dᵀ      every T₁ steps, ρ = min(1 − 1/k, β)
//   Aᵢ = (A + π·√λ·I)⁻¹,  Gᵢ = (G + √λ/π·I)⁻¹                             every T₂ steps, layer by layer
//   Δ = Gᵢ·V·Aᵢ                                                            V the gradient, or its momentum
//   θ ← θ − α·ν·Δ                                                          ν bounds the step in the metric of A ⊗ G
//
// What is not taken from the papers is in KFAC.md.

public import FisherCurvature
public import FisherLinearAlgebra
public import FisherOptimizers

/// Natural gradient with a Fisher matrix of Kronecker products, one for each linear layer and convolution (K-FAC).
public struct KFAC: Optimizer {
  @Setting("learning rate α", .positive, source: "ours, from a grid on digits") public var lr = 0.03
  @Setting("λ, divided between the two factors", .positive, source: "ours, from a grid on digits")
  public var damping = 0.1
  @Setting(
    "λ between the factors: by their mean eigenvalues, or evenly",
    source: "Martens & Grosse 2015, section 6.3")
  public var dampingSplit = DampingSplit.pi
  @Setting(
    "labels of the statistics: drawn from the model, or those of the data",
    source: "Martens & Grosse 2015, section 5")
  public var statistics = FisherLabels.sampled
  public var factors = FactorAverages()
  public var preconditioning = Preconditioning(
    momentum: 0.9, source: "tensorflow/kfac", klClip: 1e-3, klSource: "Ba et al. 2017; common implementations"
  )

  public init() {}

  /// What is left out has its default.
  public init(
    lr: Double? = nil, damping: Double? = nil, dampingSplit: DampingSplit? = nil,
    statistics: FisherLabels? = nil, beta: Double? = nil, sharing: WeightSharing? = nil,
    statisticsPeriod: Int? = nil, refreshPeriod: Int? = nil, momentum: Double? = nil,
    placement: MomentumPlacement? = nil, weightDecay: Double? = nil, klClip: Double? = nil
  ) {
    _lr.set(lr)
    _damping.set(damping)
    _dampingSplit.set(dampingSplit)
    _statistics.set(statistics)
    factors.set(
      beta: beta, sharing: sharing, statisticsPeriod: statisticsPeriod, refreshPeriod: refreshPeriod)
    preconditioning.set(
      momentum: momentum, placement: placement, weightDecay: weightDecay, klClip: klClip)
  }

  public func needs(step number: Int) -> Needs {
    factors.plan(step: number).updatesStatistics ? statistics.needs.union(.gradients) : .gradients
  }

  public func plan<S: KernelScalar>(_ step: inout Step<S>) throws(StepRefusal) {
    let plan = factors.plan(step: step.number)
    let layers = KroneckerLayer.layers(of: step.parameters)
    if plan.updatesStatistics {
      let captures = try statistics.shardedCaptures(in: step, for: Self.record.name)
      try factors.update(layers, from: captures, keeping: plan.kept, &step)
    }
    try refreshInverses(of: plan.refreshed(layers), &step)
    let V = layers.map { preconditioning.vector(of: $0, &step) }
    let Δ = try directions(V, of: layers, &step)
    preconditioning.stage(
      layers.indices.map { (layer: layers[$0], Δ: Δ[$0], V: V[$0]) }, lr: lr, &step)
  }

  public func reference() -> any ReferenceOptimizer { NaiveKFAC(method: self) }

  /// Aᵢ and Gᵢ of these layers, all in one go.
  private func refreshInverses<S: KernelScalar>(
    of layers: [KroneckerLayer], _ step: inout Step<S>
  ) throws(StepRefusal) {
    var damped: [DampedFactor<S>] = []
    for layer in layers {
      let A = try layer.inputState("A", in: step, for: Self.record.name)
      let G = try layer.outputState("G", in: step, for: Self.record.name)
      let λ = dampingSplit.dampings(damping, A, G)
      damped.append(DampedFactor(A, damping: λ.input, as: "Ai", of: layer.owner))
      damped.append(DampedFactor(G, damping: λ.output, as: "Gi", of: layer.owner))
    }
    try step.invert(damped)
  }

  /// Δ = Gᵢ·V·Aᵢ of every layer.
  private func directions<S: KernelScalar>(
    _ vectors: [Matrix<S>], of layers: [KroneckerLayer], _ step: inout Step<S>
  ) throws(StepRefusal) -> [Matrix<S>] {
    let backend = step.backend
    var tasks: [Direction<S>] = []
    for (layer, V) in zip(layers, vectors) {
      let Ai = try layer.inputState("Ai", in: step, for: Self.record.name)
      let Gi = try layer.outputState("Gi", in: step, for: Self.record.name)
      let flops = 2 * Double(V.count) * Double(V.rows + V.columns)
      tasks.append(
        Direction(of: layer.owner, rows: V.rows, columns: V.columns, flops: flops) { Δ, threads in
          applyKronecker(
            left: .explicit(Gi), V, right: .explicit(Ai), into: &Δ, on: backend, threads: threads)
        })
    }
    return try step.directions("Δ", tasks)
  }
}
