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
public struct ImprovedEmpiricalFisher: Optimizer {
  public static let record = OptimizerRecord(
    name: "ief", title: "iEF",
    summary:
      "Natural gradient with the improved empirical Fisher matrix: each sample's loss falls by its logits' gradient.",
    paper: "Wu, Yu, Zhang & Woodland: An Improved Empirical Fisher Approximation for NGD, NeurIPS 2024",
    needs: SampleSpace<Double>.needs,
    hyperparameters: [
      SampleSpace<Double>.learningRate(1, "1: a full step of gradient descent on the logits"),
      Hyperparameter(
        "damping", "λ, times the mean of K's diagonal unless dampingMode is absolute", 1e-4, .nonNegative,
        source: "ours; the paper uses near-zero absolute values with its filter of duplicates"),
      SampleSpace<Double>.dampingMode,
      Hyperparameter(
        "variant", "A damps K with λ·I as the paper's experiments do, B with λ·diag(s)", "A",
        .choice(["A", "B"]),
        source: "equation 8 (A), equation 21 (B)"),
      SampleSpace<Double>.duplicates(0.99),
    ] + SampleSpace<Double>.postprocessing(normalizes: false),
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
    ])

  public let settings: Settings

  public init(settings: Settings) { self.settings = settings }

  @specialized(where S == Float) @specialized(where S == Double)
  public func plan<S: KernelScalar>(_ step: inout Step<S>) throws(StepRefusal) {
    if step.parameters.isEmpty { return }
    let space = try SampleSpace(step, Self.record.name)
    let s = try space.squaredOutputGradients()
    let K = try space.gram(space.captures)
    let isB = settings.choice("variant") == "B"
    var system = DampedSystem(
      K: K, metric: isB ? s : s.map { _ in 1 }, damping: settings.number("damping"),
      isRelative: settings.choice("dampingMode") == "relative",
      on: step.backend, threads: step.threads)
    system.dropDuplicates(above: settings.number("duplicates"))
    let w = system.solve(s)
    system.report(to: &step)
    let Δ = space.direction(w, of: space.captures, &step)
    space.stage(Δ, norm: system.norm(w), settings, &step)
  }

  public func reference() -> any ReferenceOptimizer { NaiveSampleSpace(settings, .improved) }
}
