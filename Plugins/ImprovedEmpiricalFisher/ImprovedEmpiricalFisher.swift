// Wu, Yu, Zhang & Woodland: An Improved Empirical Fisher Approximation for Natural Gradient Descent, NeurIPS 2024
// (arXiv 2406.06420).
//
//   J   one row ∇ℓₙ a sample; K = J·Jᵀ;  sₙ = ‖∂ℓₙ/∂zₙ‖², the squared gradient by the sample's logits
//   A:  (K + λ·I)·w = s             B:  (K + λ·diag(s))·w = s
//   Δ = Jᵀ·w;  θ ← θ − α·Δ
//
// Every sample's loss falls by about α·sₙ: what gradient descent on the logits themselves would do, by the shortest
// step that does it. Losses are summed, not averaged, so α is near 1 whatever the batch. J is never formed.

public import FisherLinearAlgebra
public import FisherOptimizers

/// The improved empirical Fisher method (iEF), exact: one Gram matrix of all samples over all layers.
public struct ImprovedEmpiricalFisher: SampleSpaceMethod {
  public static let record = OptimizerRecord(
    name: "ief", title: "iEF",
    summary:
      "Natural gradient with the improved empirical Fisher matrix: each sample's loss falls by its logits' gradient.",
    paper: "Wu, Yu, Zhang & Woodland: An Improved Empirical Fisher Approximation for NGD, NeurIPS 2024",
    needs: SampleSpace<Double>.needs,
    hyperparameters: ImprovedEmpiricalFisher.hyperparameters,
    invariances: [.unitPermutation, .rotation], cost: SampleSpace<Double>.cost,
    stateSize: "nothing; P with momentum",
    roles: SampleSpace<Double>.roles,
    probes: [
      ["damping": 0.1], ["damping": 0.1, "variant": "B", "momentum": 0.9, "weightDecay": 0.1, "lr": 0.3],
      ["damping": 3, "dampingMode": "absolute", "duplicates": 0.05, "maxNorm": 0.01],
    ],
    promises: [
      .gradientInTheLimit: ["damping": 1e9, "variant": "B", "dampingMode": "absolute"],
      .gradientOfOneSample: [:],
      .solvesLeastSquares: ["damping": 0, "duplicates": 1],
      .separatesDiagonalProblems: ["damping": 0.1, "dampingMode": "absolute"],
      .affineInvariance: ["damping": 0, "duplicates": 1],
    ],
    weightDecay: .decoupled, constantResponse: .geometric("momentum"))

  /// A damps K with λ·I, B with λ·diag(s).
  public enum Variant: String, SettingChoice { case A, B }

  @Setting(
    "α, for the sum of the losses", .positive, source: "1: a full step of gradient descent on the logits")
  public var lr = 1.0
  @Setting(
    "λ, times the mean of K's diagonal (in variant B of Kₙₙ/sₙ) unless dampingMode is absolute", .nonNegative,
    source: "ours: the smallest eigenvalue of two rows that the filter of duplicates keeps")
  public var damping = 1e-2
  @Setting("whether λ is relative to the Gram matrix or an absolute number", source: "ours")
  public var dampingMode = DampingMode.relative
  @Setting(
    "A damps K with λ·I as the paper's experiments do, B with λ·diag(s)",
    source: "equation 8 (A), equation 21 (B)")
  public var variant = Variant.A
  @Setting(
    "leave out the shorter of two gradients with |cos| above this; 1 keeps all", .closed(0, 1),
    source: "published code, training")
  public var duplicates = 0.99
  public var postprocessing = Postprocessing(normalizes: false)

  public init() {}

  /// What is left out has its default.
  public init(
    lr: Double? = nil, damping: Double? = nil, dampingMode: DampingMode? = nil, variant: Variant? = nil,
    duplicates: Double? = nil, normalize: Bool? = nil, maxNorm: Double? = nil, momentum: Double? = nil,
    weightDecay: Double? = nil
  ) {
    _lr.set(lr)
    _damping.set(damping)
    _dampingMode.set(dampingMode)
    _variant.set(variant)
    _duplicates.set(duplicates)
    postprocessing.set(normalize, maxNorm, momentum, weightDecay)
  }

  public func plan<S: KernelScalar>(_ step: inout Step<S>) throws(StepRefusal) {
    if step.parameters.isEmpty { return }
    let space = try SampleSpace(step, Self.record.name)
    let s = try space.squaredOutputGradients()
    let K = try space.gram(space.captures)
    var system = DampedSystem(
      K: K, metric: variant == .B ? s : s.map { _ in 1 }, damping: damping,
      isRelative: dampingMode == .relative,
      on: step.backend, threads: step.threads)
    system.dropDuplicates(above: duplicates)
    let w = system.solve(s)
    system.report(to: &step)
    let Δ = space.direction(w, of: space.captures, &step)
    space.stage(Δ, norm: system.norm(w), postprocessing, lr, &step)
  }

  public func reference() -> any ReferenceOptimizer { NaiveSampleSpace(self, .improved(variant)) }
}
