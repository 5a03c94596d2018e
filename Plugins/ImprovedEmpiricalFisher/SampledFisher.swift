// Natural gradient with an unbiased estimate of the Fisher matrix from labels drawn from the model: Wu et al. 2024,
// equations 48 and 49; Ren & Goldfarb 2019.
//
//   Ĵ   one row a sample and drawn label;  F̂ = ĴᵀĴ/k with k labels a sample
//   (ĴĴᵀ + k·λ·I)·w = Ĵ·g;  Δ = (F̂ + λ·I)⁻¹ g = (g − Ĵᵀ·w)/λ;  θ ← θ − α·Δ/‖Δ‖
//
// g lies outside of Ĵ's row space in general, so ‖Δ‖ grows as 1/λ: take unit steps, or enough damping.

public import FisherLinearAlgebra
public import FisherOptimizers

/// Natural gradient with the sampled Fisher matrix (SF).
public struct SampledFisher: SampleSpaceMethod {
  public static let record = OptimizerRecord(
    name: "sf", title: "SF",
    summary: "Natural gradient with a Fisher matrix estimated from labels that are drawn from the model.",
    paper: "Ren & Goldfarb 2019; as in Wu et al., NeurIPS 2024, equations 48 and 49",
    needs: [.inputs, .outputGradients, .sampledLabels],
    hyperparameters: SampledFisher.hyperparameters,
    invariances: [.unitPermutation, .rotation],
    cost: SampleSpace<Double>.cost(
      rows: .N, grams: 3, sums: 2, note: "for one label a sample; as many backward passes more as labels"),
    stateSize: "nothing; P with momentum", roles: SampleSpace<Double>.roles,
    probes: [
      ["damping": 0.1], ["damping": 0.3, "labels": 3, "normalize": false, "weightDecay": 0.01],
    ], promises: [.gradientInTheLimit: ["damping": 1e9], .gradientOfOneSample: [:]],
    weightDecay: .decoupled, constantResponse: .geometric("momentum"))

  @Setting(
    "α, for the sum of the losses", .positive,
    source: "Wu et al., the network trained from scratch; of unit steps")
  public var lr = 0.1
  @Setting(
    "λ, times the mean of ĴĴᵀ's diagonal unless dampingMode is absolute", .positive, source: "ours")
  public var damping = 1e-2
  @Setting("whether λ is relative to the Gram matrix or an absolute number", source: "ours")
  public var dampingMode = DampingMode.relative
  @Setting("k, drawn for each sample", .atLeast(1), source: "Wu et al. 2024") public var labels = 1
  public var postprocessing = Postprocessing(normalizes: true)

  public init() {}

  /// What is left out has its default.
  public init(
    lr: Double? = nil, damping: Double? = nil, dampingMode: DampingMode? = nil, labels: Int? = nil,
    normalize: Bool? = nil, maxNorm: Double? = nil, momentum: Double? = nil, weightDecay: Double? = nil
  ) {
    _lr.set(lr)
    _damping.set(damping)
    _dampingMode.set(dampingMode)
    _labels.set(labels)
    postprocessing.set(normalize, maxNorm, momentum, weightDecay)
  }

  public func plan<S: KernelScalar>(_ step: inout Step<S>) throws(StepRefusal) {
    if step.parameters.isEmpty { return }
    let space = try SampleSpace(step, Self.record.name)
    let sampled = try space.draws(labels)
    let cross = try space.gram(sampled, with: space.captures)
    // The system weights λ by k, and takes that out of the mean that λ is relative to: put back here.
    var system = DampedSystem(
      K: try space.gram(sampled), metric: [Double](repeating: Double(labels), count: cross.rows),
      damping: dampingMode == .relative ? Double(labels) * damping : damping,
      isRelative: dampingMode == .relative,
      on: step.backend, threads: step.threads)
    let projection = (0..<cross.rows).map { i in (0..<cross.columns).reduce(0) { $0 + cross[i, $1] } }
    let w = system.solve(projection)
    system.report(to: &step)
    let ones = [Double](repeating: 1, count: cross.columns)
    let scale = system.appliedDamping > 0 ? 1 / system.appliedDamping : 1
    let Δ = space.difference(
      space.direction(ones, of: space.captures, &step), space.direction(w, of: sampled, &step),
      times: scale)
    space.stage(Δ, norm: space.norm(Δ), postprocessing, lr, &step)
  }

  public func reference() -> any ReferenceOptimizer { NaiveSampleSpace(self, .sampled(labels: labels)) }
}
