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
public struct SampledFisher: Optimizer {
  public static let record = OptimizerRecord(
    name: "sf", title: "SF",
    summary: "Natural gradient with a Fisher matrix estimated from labels that are drawn from the model.",
    paper: "Ren & Goldfarb 2019; as in Wu et al., NeurIPS 2024, equations 48 and 49",
    needs: [.inputs, .outputGradients, .sampledLabels],
    hyperparameters: [
      SampleSpace<Double>.learningRate(0.1, "Wu et al., the network trained from scratch; of unit steps"),
      Hyperparameter(
        "damping", "λ, times the mean of ĴĴᵀ's diagonal unless dampingMode is absolute", 1e-2, .positive,
        source: "ours"),
      SampleSpace<Double>.dampingMode,
      Hyperparameter("labels", "k, drawn for each sample", 1, .atLeast(1), source: "Wu et al. 2024"),
    ] + SampleSpace<Double>.postprocessing(normalizes: true),
    invariances: [.unitPermutation, .rotation],
    cost: SampleSpace<Double>.cost(
      rows: .N, grams: 3, sums: 2, note: "for one label a sample; as many backward passes more as labels"),
    stateSize: "nothing; P with momentum", roles: SampleSpace<Double>.roles,
    probes: [
      ["damping": 0.1], ["damping": 0.3, "labels": 3, "normalize": false, "weightDecay": 0.01],
    ], promises: [.gradientInTheLimit: ["damping": 1e9], .gradientOfOneSample: [:]])

  public let settings: Settings

  public init(settings: Settings) { self.settings = settings }

  @specialized(where S == Float) @specialized(where S == Double)
  public func plan<S: KernelScalar>(_ step: inout Step<S>) throws(StepRefusal) {
    if step.parameters.isEmpty { return }
    let space = try SampleSpace(step, Self.record.name)
    let labels = settings.integer("labels")
    let sampled = try space.draws(labels)
    let cross = try space.gram(sampled, with: space.captures)
    var system = DampedSystem(
      K: try space.gram(sampled), metric: [Double](repeating: Double(labels), count: cross.rows),
      damping: settings.number("damping"), isRelative: settings.choice("dampingMode") == "relative",
      on: step.backend, threads: step.threads)
    let projection = (0..<cross.rows).map { i in (0..<cross.columns).reduce(0) { $0 + cross[i, $1] } }
    let w = system.solve(projection)
    system.report(to: &step)
    let ones = [Double](repeating: 1, count: cross.columns)
    let scale = system.appliedDamping > 0 ? 1 / system.appliedDamping : 1
    let Δ = space.difference(
      space.direction(ones, of: space.captures, as: "g", &step), space.direction(w, of: sampled, &step),
      times: scale)
    space.stage(Δ, norm: space.norm(Δ), settings, &step)
  }

  public func reference() -> any ReferenceOptimizer { NaiveSampleSpace(settings, .sampled) }
}
