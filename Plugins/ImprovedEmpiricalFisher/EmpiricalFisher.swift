// The empirical Fisher matrix JᵀJ in place of the Fisher matrix, as a baseline: Kunstner, Balles & Hennig, NeurIPS 2019,
// name its defects; Wu et al. 2024, section 4, trace them to the scale of the projections.
//
//   (K + λ·I)·w = 1;  Δ = Jᵀ·w = (JᵀJ + λ·I)⁻¹ ∇L;  θ ← θ − α·Δ/‖Δ‖
//
// Every sample's loss falls by the same amount, whether it has anything left to fall or not.

public import FisherLinearAlgebra
public import FisherOptimizers

/// Natural gradient with the empirical Fisher matrix (EF).
public struct EmpiricalFisher: Optimizer {
  public static let record = OptimizerRecord(
    name: "ef", title: "EF",
    summary:
      "Natural gradient with the empirical Fisher matrix: each sample's loss falls by the same amount.",
    paper: "Amari 1998 with the gradients of the data's labels; as in Wu et al., NeurIPS 2024",
    needs: [.inputs, .outputGradients],
    hyperparameters: [
      SampleSpace<Double>.learningRate(
        0.01, "Wu et al., table of learning rates, between their tasks; of unit steps"),
      Hyperparameter(
        "damping", "λ, times the mean of K's diagonal unless dampingMode is absolute", 1e-4, .nonNegative,
        source: "ours"),
      SampleSpace<Double>.dampingMode,
      SampleSpace<Double>.duplicates(0.99),
    ] + SampleSpace<Double>.postprocessing(normalizes: true),
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
    ])

  public let settings: Settings

  public init(settings: Settings) { self.settings = settings }

  @specialized(where S == Float) @specialized(where S == Double)
  public func plan<S: KernelScalar>(_ step: inout Step<S>) throws(StepRefusal) {
    if step.parameters.isEmpty { return }
    let space = try SampleSpace(step, Self.record.name)
    let K = try space.gram(space.captures)
    let ones = [Double](repeating: 1, count: K.rows)
    var system = DampedSystem(
      K: K, metric: ones, damping: settings.number("damping"),
      isRelative: settings.choice("dampingMode") == "relative",
      on: step.backend, threads: step.threads)
    system.dropDuplicates(above: settings.number("duplicates"))
    let w = system.solve(ones)
    system.report(to: &step)
    let Δ = space.direction(w, of: space.captures, &step)
    space.stage(Δ, norm: system.norm(w), settings, &step)
  }

  public func reference() -> any ReferenceOptimizer { NaiveSampleSpace(settings, .empirical) }
}
