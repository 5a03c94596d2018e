// Benzing: Gradient Descent on Neurons and its Link to Approximate Second-Order Optimization, ICML 2022 (arXiv 2201.12250).
//
//   h   rows of a layer's inputs, with a 1 for the bias
//   A ← ρ·A + (1 − ρ)·mean of h·hᵀ      every T₁ steps, ρ = min(1 − 1/k, β)
//   Aᵢ = (A + λ·I)⁻¹                     every T₂ steps, layer by layer
//   Δ = V·Aᵢ                             V the gradient, or its momentum
//   θ ← θ − α·ν·Δ
//
// K-FAC with the identity for the output factor: gradient descent on the outputs of every neuron. See FOOF.md.

public import FisherCurvature
public import FisherLinearAlgebra
public import FisherOptimizers

/// Gradient descent on the outputs of neurons: K-FAC with the identity for the factor of the output gradients (FOOF).
public struct FOOF: Optimizer {
  @Setting("learning rate α", .positive, source: "ours, from a grid on digits") public var lr = 0.1
  @Setting("λ, added to the input factor", .positive, source: "ours, from a grid on digits")
  public var damping = 0.3
  public var factors = FactorAverages()
  public var preconditioning = Preconditioning(
    momentum: 0.9, source: "Benzing 2022", klClip: 1e-3,
    klSource: "ours, from a grid on digits: the method has no bound, and needs one")

  public init() {}

  /// What is left out has its default.
  public init(
    lr: Double? = nil, damping: Double? = nil, beta: Double? = nil, sharing: WeightSharing? = nil,
    statisticsPeriod: Int? = nil, refreshPeriod: Int? = nil, momentum: Double? = nil,
    placement: MomentumPlacement? = nil, weightDecay: Double? = nil, klClip: Double? = nil
  ) {
    _lr.set(lr)
    _damping.set(damping)
    factors.set(
      beta: beta, sharing: sharing, statisticsPeriod: statisticsPeriod, refreshPeriod: refreshPeriod)
    preconditioning.set(
      momentum: momentum, placement: placement, weightDecay: weightDecay, klClip: klClip)
  }

  public func needs(step number: Int) -> Needs {
    factors.plan(step: number).updatesStatistics ? [.gradients, .inputs] : .gradients
  }

  public func plan<S: KernelScalar>(_ step: inout Step<S>) throws(StepRefusal) {
    let name = Self.record.name
    let plan = factors.plan(step: step.number)
    let layers = KroneckerLayer.layers(of: step.parameters)
    if plan.updatesStatistics {
      let captures = try FisherLabels.empirical.shardedCaptures(in: step, for: name)
      try factors.update(layers, from: captures, wantsOutputs: false, keeping: plan.kept, &step)
    }
    var damped: [DampedFactor<S>] = []
    for layer in plan.refreshed(layers) {
      let A = try layer.inputState("A", in: step, for: name)
      damped.append(DampedFactor(A, damping: damping, as: "Ai", of: layer.owner))
    }
    try step.invert(damped)
    let (V, backend) = (layers.map { preconditioning.vector(of: $0, &step) }, step.backend)
    var tasks: [Direction<S>] = []
    for (layer, V) in zip(layers, V) {
      let Ai = try layer.inputState("Ai", in: step, for: name)
      let flops = 2 * Double(V.count) * Double(V.columns)
      tasks.append(
        Direction(of: layer.owner, rows: V.rows, columns: V.columns, flops: flops) { Δ, threads in
          applyKronecker(left: .identity, V, right: .explicit(Ai), into: &Δ, on: backend, threads: threads)
        })
    }
    let Δ = try step.directions("Δ", tasks)
    preconditioning.stage(
      layers.indices.map { (layer: layers[$0], Δ: Δ[$0], V: V[$0]) }, lr: lr, &step)
  }

  public func reference() -> any ReferenceOptimizer { NaiveFOOF(method: self) }
}
