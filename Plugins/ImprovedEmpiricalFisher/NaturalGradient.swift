// Natural gradient descent with the Fisher matrix itself: Amari 1998; for softmax cross-entropy and the other losses
// here it equals the generalised Gauss-Newton matrix (Martens 2020).
//
//   V   one row a sample and column of a square root of the loss's curvature: F = VᵀV;  ∇L = Vᵀ·u
//   (V·Vᵀ + λ·I)·w = u;  Δ = (F + λ·I)⁻¹ ∇L = Vᵀ·w;  θ ← θ − α·Δ
//
// Cubic in samples × outputs: the yardstick for small problems, not a way to train large ones.

import FisherCurvature
public import FisherLinearAlgebra
public import FisherOptimizers

/// Natural gradient descent with the exact Fisher matrix (NGD).
public struct NaturalGradient: Optimizer {
  public static let record = OptimizerRecord(
    name: "ngd", title: "NGD",
    summary: "Natural gradient with the exact, damped Fisher matrix, for small problems.",
    paper: "Amari: Natural gradient works efficiently in learning, 1998; Martens: New insights, JMLR 2020",
    needs: [.inputs, .outputGradients, .exactFisher],
    hyperparameters: [
      SampleSpace<Double>.learningRate(1, "a Newton step of the quadratic model"),
      Hyperparameter(
        "damping", "λ, times the mean of V·Vᵀ's diagonal unless dampingMode is absolute", 1e-2, .nonNegative,
        source: "ours"),
      SampleSpace<Double>.dampingMode,
    ] + SampleSpace<Double>.postprocessing(normalizes: false),
    invariances: [.unitPermutation, .rotation],
    cost: SampleSpace<Double>.cost(rows: .N * .C, grams: 1, sums: 1, note: "C backward passes more"),
    stateSize: "nothing; P with momentum", roles: SampleSpace<Double>.roles,
    probes: [
      ["damping": 0.1, "lr": 0.1], ["damping": 5, "dampingMode": "absolute", "momentum": 0.8],
    ],
    promises: [
      .gradientInTheLimit: ["damping": 1e9], .gradientOfOneSample: [:], .solvesLeastSquares: ["damping": 0],
      .separatesDiagonalProblems: ["damping": 0.1, "dampingMode": "absolute"],
      .affineInvariance: ["damping": 0],
    ])

  public let settings: Settings

  public init(settings: Settings) { self.settings = settings }

  @specialized(where S == Float) @specialized(where S == Double)
  public func plan<S: KernelScalar>(_ step: inout Step<S>) throws(StepRefusal) {
    if step.parameters.isEmpty { return }
    let space = try SampleSpace(step, Self.record.name)
    let fisher = try step.objective.exactFisher()
    let V = Captures(concatenating: fisher.columns, on: step.backend)
    let K = try space.gram(V)
    var system = DampedSystem(
      K: K, metric: [Double](repeating: 1, count: K.rows), damping: settings.number("damping"),
      isRelative: settings.choice("dampingMode") == "relative",
      on: step.backend, threads: step.threads)
    // Column r of u belongs to the rows of column r of V.
    let w = system.solve(fisher.coefficients.transposed.array)
    system.report(to: &step)
    let Δ = space.direction(w, of: V, &step)
    space.stage(Δ, norm: system.norm(w), settings, &step)
  }

  public func reference() -> any ReferenceOptimizer { NaiveSampleSpace(settings, .exact) }
}
