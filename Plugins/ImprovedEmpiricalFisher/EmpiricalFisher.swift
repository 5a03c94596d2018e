// The empirical Fisher matrix JᵀJ in place of the Fisher matrix, as a baseline: Kunstner, Balles & Hennig, NeurIPS 2019,
// name its defects; Wu et al. 2024, section 4, trace them to the scale of the projections.
//
//   (K + λ·I)·w = 1;  Δ = Jᵀ·w = (JᵀJ + λ·I)⁻¹ ∇L;  θ ← θ − α·Δ/‖Δ‖
//
// Every sample's loss falls by the same amount, whether it has anything left to fall or not.

public import FisherLinearAlgebra
public import FisherOptimizers

/// Natural gradient with the empirical Fisher matrix (EF).
public struct EmpiricalFisher: SampleSpaceMethod {
  public static let record = OptimizerRecord(
    name: "ef", title: "EF",
    summary:
      "Natural gradient with the empirical Fisher matrix: each sample's loss falls by the same amount.",
    paper: "Amari 1998 with the gradients of the data's labels; as in Wu et al., NeurIPS 2024",
    needs: [.inputs, .outputGradients],
    hyperparameters: EmpiricalFisher.hyperparameters,
    invariances: [.unitPermutation, .rotation], cost: SampleSpace<Double>.cost,
    stateSize: "nothing; P with momentum",
    roles: SampleSpace<Double>.roles,
    probes: [
      ["damping": 0.1], ["damping": 0.2, "normalize": false, "momentum": 0.5, "duplicates": 0.1],
    ],
    promises: [
      .gradientInTheLimit: ["damping": 1e9], .gradientOfOneSample: [:],
      .separatesDiagonalProblems: ["damping": 0.1, "dampingMode": "absolute", "normalize": false],
      .affineInvariance: ["damping": 0, "duplicates": 1, "normalize": false],
    ],
    weightDecay: .decoupled, constantResponse: .geometric("momentum"))

  @Setting(
    "α, for the sum of the losses", .positive,
    source: "Wu et al., table of learning rates, between their tasks; of unit steps")
  public var lr = 0.01
  @Setting(
    "λ, times the mean of K's diagonal unless dampingMode is absolute", .nonNegative, source: "ours")
  public var damping = 1e-4
  @Setting("whether λ is relative to the Gram matrix or an absolute number", source: "ours")
  public var dampingMode = DampingMode.relative
  @Setting(
    "leave out the shorter of two gradients with |cos| above this; 1 keeps all", .closed(0, 1),
    source: "published code, training")
  public var duplicates = 0.99
  public var postprocessing = Postprocessing(normalizes: true)

  public init() {}

  /// What is left out has its default.
  public init(
    lr: Double? = nil, damping: Double? = nil, dampingMode: DampingMode? = nil, duplicates: Double? = nil,
    normalize: Bool? = nil, maxNorm: Double? = nil, momentum: Double? = nil, weightDecay: Double? = nil
  ) {
    _lr.set(lr)
    _damping.set(damping)
    _dampingMode.set(dampingMode)
    _duplicates.set(duplicates)
    postprocessing.set(normalize, maxNorm, momentum, weightDecay)
  }

  public func plan<S: KernelScalar>(_ step: inout Step<S>) throws(StepRefusal) {
    if step.parameters.isEmpty { return }
    let space = try SampleSpace(step, Self.record.name)
    let K = try space.gram(space.captures)
    let ones = [Double](repeating: 1, count: K.rows)
    var system = DampedSystem(
      K: K, metric: ones, damping: damping,
      isRelative: dampingMode == .relative,
      on: step.backend, threads: step.threads)
    system.dropDuplicates(above: duplicates)
    let w = system.solve(ones)
    system.report(to: &step)
    let Δ = space.direction(w, of: space.captures, &step)
    space.stage(Δ, norm: system.norm(w), postprocessing, lr, &step)
  }

  public func reference() -> any ReferenceOptimizer { NaiveSampleSpace(self, .empirical) }
}
