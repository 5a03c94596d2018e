// Goldshlager, Abrahamsen & Lin: A Kaczmarz-inspired approach to accelerate the optimization of neural network wavefunctions,
// Journal of Computational Physics 2024 (arXiv 2401.10190): subsampled projected-increment natural gradient.
//
//   V   one row a sample and column of a square root of the loss's curvature: F = VᵀV;  ∇L = Vᵀ·u
//   φ ← μ·φ + Vᵀ(V·Vᵀ + λ·I)⁻¹(u − μ·V·φ)
//   θ ← θ − α·c·φ,  c bounds the length of the step
//
// φ minimises ‖V·φ − u‖² + λ·‖φ − μ·φ′‖² with the former φ′: what the batch does not ask about stays as it was. With μ = 0 it is
// NGD. See ImprovedEmpiricalFisher.md.

import FisherCurvature
public import FisherLinearAlgebra
public import FisherOptimizers

/// Natural gradient that keeps of its former direction what the batch does not speak against (SPRING).
public struct SPRING: SampleSpaceMethod {
  /// The rows' products with the former direction beside NGD's cost.
  private static var cost: Cost {
    let ngd = SampleSpace<Double>.cost(rows: .N * .C, grams: 1, sums: 1, note: "C backward passes more")
    return Cost(
      ngd.parts + [
        Cost.Part(.dense, flops: 2 * .N * .C * .P),
        Cost.Part(.parameter, flops: 3 * .P, elements: 3 * .P),
      ], note: ngd.note)
  }

  public static let record = OptimizerRecord(
    name: "spring", title: "SPRING",
    summary:
      "Exact natural gradient plus what the batch leaves free of the former direction, for small problems.",
    paper: "Goldshlager, Abrahamsen & Lin: A Kaczmarz-inspired approach to accelerate the optimization of "
      + "neural network wavefunctions, J. Comput. Phys. 2024",
    needs: [.inputs, .outputGradients, .exactFisher], hyperparameters: SPRING.hyperparameters,
    invariances: [.unitPermutation, .rotation], cost: cost, stateSize: "P and a number; 2·P with momentum",
    roles: SampleSpace<Double>.roles,
    probes: [
      ["damping": 0.5, "lr": 0.1], ["damping": 0.5, "maxNorm": 0.01, "kept": 0.5],
      ["damping": 5, "dampingMode": "absolute", "momentum": 0.8, "maxNorm": 0, "normalize": true],
    ],
    promises: [
      .gradientInTheLimit: ["damping": 1e9], .gradientOfOneSample: [:],
      .solvesLeastSquares: ["damping": 0, "maxNorm": 0],
      .separatesDiagonalProblems: ["damping": 0.1, "dampingMode": "absolute", "maxNorm": 0],
      .affineInvariance: ["damping": 0, "maxNorm": 0],
    ])

  @Setting("α, for the sum of the losses", .positive, source: "ours, from a grid on digits")
  public var lr = 0.1
  @Setting(
    "λ, times the largest mean of V·Vᵀ's diagonal so far unless dampingMode is absolute", .nonNegative,
    source: "ours, from a grid on digits")
  public var damping = 1e-2
  @Setting("whether λ is relative to the Gram matrix or an absolute number", source: "ours")
  public var dampingMode = DampingMode.relative
  @Setting(
    "μ: how much of the former direction is kept where the batch does not decide; with 1 runs may diverge",
    .closed(0, 1), source: "ours, from a grid on digits; the paper has 0.99")
  public var kept = 0.9
  public var postprocessing = Postprocessing(
    normalizes: false, maxNorm: 0.1, maxNormSource: "ours, from a grid on digits; the paper has √10⁻³")

  public init() {}

  /// What is left out has its default.
  public init(
    lr: Double? = nil, damping: Double? = nil, dampingMode: DampingMode? = nil, kept: Double? = nil,
    normalize: Bool? = nil, maxNorm: Double? = nil, momentum: Double? = nil, weightDecay: Double? = nil
  ) {
    _lr.set(lr)
    _damping.set(damping)
    _dampingMode.set(dampingMode)
    _kept.set(kept)
    postprocessing.set(normalize, maxNorm, momentum, weightDecay)
  }

  public func plan<S: KernelScalar>(_ step: inout Step<S>) throws(StepRefusal) {
    if step.parameters.isEmpty { return }
    let space = try SampleSpace(step, Self.record.name)
    let fisher = try step.objective.exactFisher()
    let V = Captures(concatenating: fisher.columns, on: step.backend)
    var system = try space.damped(V, damping, dampingMode, &step)
    // Column r of u belongs to the rows of column r of V.
    var u = fisher.coefficients.transposed.array
    let former = step.parameters.map { step.tensor("φ", of: $0.name) }
    for (n, product) in space.products(of: V, with: former).enumerated() { u[n] -= kept * product }
    let w = system.solve(u)
    system.report(to: &step)
    let increment = space.direction(w, of: V, &step)
    let φ = zip(step.parameters, increment).map { parameter, increment in
      step.accumulate("φ", of: parameter.name, keeping: kept, adding: 1, of: increment)
    }
    space.stage(φ, norm: space.norm(φ), postprocessing, lr, &step)
  }

  public func reference() -> any ReferenceOptimizer { NaiveSPRING(method: self) }
}
