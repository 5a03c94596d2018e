// Natural gradient descent with the Fisher matrix itself: Amari 1998; for softmax cross-entropy and the other losses
// here it equals the generalised Gauss-Newton matrix (Martens 2020).
//
//   V   one row a sample and column of a square root of the loss's curvature: F = VᵀV;  ∇L = Vᵀ·u
//   (V·Vᵀ + λ·I)·w = u;  Δ = (F + λ·I)⁻¹ ∇L = Vᵀ·w;  θ ← θ − α·c·Δ
//   c   at most 1, and so small that ½·α²c²·Δᵀ(F + λ·I)Δ ≤ κ·N: the trust region of Ba, Grosse & Martens, ICLR 2017
//
// A sample whose label has the probability p asks for a loss that is (1 − p)/p lower, and F hardly notices: without the
// trust region a few samples decide how far the outputs of all others go.
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
    stateSize: "a number; P with momentum", roles: SampleSpace<Double>.roles,
    probes: [
      ["damping": 0.1, "lr": 0.1], ["damping": 0.1, "trustRegion": 1e-3],
      ["damping": 5, "dampingMode": "absolute", "momentum": 0.8, "trustRegion": 0],
    ],
    promises: [
      .gradientInTheLimit: ["damping": 1e9], .gradientOfOneSample: [:],
      .solvesLeastSquares: ["damping": 0, "trustRegion": 0],
      .separatesDiagonalProblems: ["damping": 0.1, "dampingMode": "absolute", "trustRegion": 0],
      .affineInvariance: ["damping": 0],
    ],
    weightDecay: .decoupled, constantResponse: .geometric("momentum"))

  @Setting("α, for the sum of the losses", .positive, source: "a Newton step of the quadratic model")
  public var lr = 1.0
  @Setting(
    "λ, times the largest mean of V·Vᵀ's diagonal so far unless dampingMode is absolute", .nonNegative,
    source: "ours")
  public var damping = 1e-2
  @Setting("whether λ is relative to the Gram matrix or an absolute number", source: "ours")
  public var dampingMode = DampingMode.relative
  @Setting(
    "κ: how far a step may change the distributions of the outputs, in nats of KL a sample; 0 for no limit",
    .nonNegative, source: "Ba, Grosse & Martens 2017; the value is ours")
  public var trustRegion = 1e-2
  public var postprocessing = Postprocessing(normalizes: false)

  public init() {}

  /// What is left out has its default.
  public init(
    lr: Double? = nil, damping: Double? = nil, dampingMode: DampingMode? = nil, trustRegion: Double? = nil,
    normalize: Bool? = nil, maxNorm: Double? = nil, momentum: Double? = nil, weightDecay: Double? = nil
  ) {
    _lr.set(lr)
    _damping.set(damping)
    _dampingMode.set(dampingMode)
    _trustRegion.set(trustRegion)
    postprocessing.set(normalize, maxNorm, momentum, weightDecay)
  }

  public func plan<S: KernelScalar>(_ step: inout Step<S>) throws(StepRefusal) {
    if step.parameters.isEmpty { return }
    let space = try SampleSpace(step, Self.record.name)
    let fisher = try step.objective.exactFisher()
    let V = Captures(concatenating: fisher.columns, on: step.backend)
    var system = try space.damped(V, damping, dampingMode, &step)
    // Column r of u belongs to the rows of column r of V.
    let w = system.solve(fisher.coefficients.transposed.array)
    system.report(to: &step)
    let Δ = space.direction(w, of: V, &step)
    let κ = trustRegion
    let longest =
      κ > 0 ? (2 * κ * Double(step.objective.sampleCount) / system.quadratic(w)).squareRoot() : .infinity
    space.stage(Δ, norm: system.norm(w), longest: longest, postprocessing, lr, &step)
  }

  public func reference() -> any ReferenceOptimizer { NaiveSampleSpace(self, .exact) }
}
