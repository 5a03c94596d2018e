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
public struct NaturalGradient: SampleSpaceMethod {
  public static let record = OptimizerRecord(
    name: "ngd", title: "NGD",
    summary: "Natural gradient with the exact, damped Fisher matrix, for small problems.",
    paper: "Amari: Natural gradient works efficiently in learning, 1998; Martens: New insights, JMLR 2020",
    needs: [.inputs, .outputGradients, .exactFisher],
    hyperparameters: NaturalGradient.hyperparameters,
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

  @Setting("α, for the sum of the losses", .positive, source: "a Newton step of the quadratic model")
  public var lr = 1.0
  @Setting(
    "λ, times the mean of V·Vᵀ's diagonal unless dampingMode is absolute", .nonNegative, source: "ours")
  public var damping = 1e-2
  @Setting("whether λ is relative to the Gram matrix or an absolute number", source: "ours")
  public var dampingMode = DampingMode.relative
  public var postprocessing = Postprocessing(normalizes: false)

  public init() {}

  /// What is left out has its default.
  public init(
    lr: Double? = nil, damping: Double? = nil, dampingMode: DampingMode? = nil, normalize: Bool? = nil,
    maxNorm: Double? = nil, momentum: Double? = nil, weightDecay: Double? = nil
  ) {
    _lr.set(lr)
    _damping.set(damping)
    _dampingMode.set(dampingMode)
    postprocessing.set(normalize, maxNorm, momentum, weightDecay)
  }

  public func plan<S: KernelScalar>(_ step: inout Step<S>) throws(StepRefusal) {
    if step.parameters.isEmpty { return }
    let space = try SampleSpace(step, Self.record.name)
    let fisher = try step.objective.exactFisher()
    let V = Captures(concatenating: fisher.columns, on: step.backend)
    let K = try space.gram(V)
    var system = DampedSystem(
      K: K, metric: [Double](repeating: 1, count: K.rows), damping: damping,
      isRelative: dampingMode == .relative,
      on: step.backend, threads: step.threads)
    // Column r of u belongs to the rows of column r of V.
    let w = system.solve(fisher.coefficients.transposed.array)
    system.report(to: &step)
    let Δ = space.direction(w, of: V, &step)
    space.stage(Δ, norm: system.norm(w), postprocessing, lr, &step)
  }

  public func reference() -> any ReferenceOptimizer { NaiveSampleSpace(self, .exact) }
}
