// Adafactor: Shazeer & Stern, ICML 2018, without momentum, in PyTorch's form.
//
//   ρ = min(α, 1/√t),  a = max(ε₂, RMS(θ))·ρ,  β = 1 − t^τ
//   θ ← (1 − α·γ)·θ
//   matrices: R ← β·R + (1 − β)·row means of g²,  C ← β·C + (1 − β)·column means,  V = R·Cᵀ/max(mean R, ε₁)
//   vectors:  V ← β·V + (1 − β)·g²
//   U = g/√max(V, ε₁²)
//   θ ← θ − a·U/max(1, RMS(U)/d)
//
// Deviations: a convolution is the matrix outputs × (channels · taps), where PyTorch takes the last two axes, the
// taps. ε₁ = 0 stands for the machine epsilon of the element type.

public import FisherLinearAlgebra
public import FisherOptimizers

/// Adam's denominator from row and column sums alone.
public struct Adafactor: Optimizer {
  public static let record = OptimizerRecord(
    name: "adafactor", title: "Adafactor", summary: "Adam's denominator from row and column sums alone.",
    paper: "Shazeer & Stern: Adafactor, ICML 2018",
    hyperparameters: Adafactor.hyperparameters,
    invariances: [.unitPermutation, .sign],
    cost: Cost(
      flops: 16 * .P, elements: 3 * .P, note: "before the update, three passes over g and one over θ for sums"
    ),
    stateSize: "rows + columns of a matrix, the elements of a vector", dependsOnStepNumber: true,
    treatsParametersApart: true)

  @Setting("learning rate α", .positive, source: "PyTorch") public var lr = 0.01
  @Setting("τ: β = 1 − t^τ", .closed(-10, 0), source: "Shazeer & Stern 2018") public var decay = -0.8
  @Setting("ε₁, the floor of V; 0: machine epsilon", .nonNegative, source: "PyTorch") public var eps1 = 0.0
  @Setting("ε₂, the floor of RMS(θ)", .nonNegative, source: "Shazeer & Stern 2018") public var eps2 = 1e-3
  @Setting("d, the bound of RMS(U)", .positive, source: "Shazeer & Stern 2018") public var clip = 1.0
  @Setting(DecoupledDecay.meaning, .nonNegative, source: "PyTorch") public var weightDecay = 0.0

  public init() {}

  /// What is left out has its default.
  public init(
    lr: Double? = nil, decay: Double? = nil, eps1: Double? = nil, eps2: Double? = nil, clip: Double? = nil,
    weightDecay: Double? = nil
  ) {
    _lr.set(lr)
    _decay.set(decay)
    _eps1.set(eps1)
    _eps2.set(eps2)
    _clip.set(clip)
    _weightDecay.set(weightDecay)
  }

  public func plan<S: KernelScalar>(_ step: inout Step<S>) throws(StepRefusal) {
    let t = Double(step.number)
    let α = lr * step.schedule
    let ρ = min(α, 1 / t.squareRoot())
    let keep = 1 - realPower(t, decay)
    let ε1 = eps1 > 0 ? S(eps1) : S.ulpOfOne
    for parameter in step.parameters {
      let g = step.gradient(parameter)
      let a = max(eps2, rootMeanSquare(step.value(parameter), threads: step.threads)) * ρ
      let moments = SecondMoments(g, keep: keep, parameter, step)
      let (row, column) = moments.factors(floor: Double(ε1))
      let d = directionScale(g, row: row, column: column, floor: ε1, threads: step.threads)
      let rule = AdafactorRule<S>(
        a: S(a / max(1, d / clip)), shrink: S(1 - α * weightDecay),
        floor: ε1 * ε1)
      moments.stage(parameter, &step)
      step.apply(rule, to: parameter, row: row, column: column)
    }
  }

  public func reference() -> any ReferenceOptimizer { NaiveAdafactor(method: self) }
}

struct AdafactorRule<S: KernelScalar>: UpdateRule {
  let a, shrink, floor: S

  @inline(__always)
  func update(_ x: inout Element<S>, _: inout NoState) {
    let v = Lanes.maximum(x.row * x.column, Lanes<S>(repeating: floor))
    x.value = shrink * x.value - a * x.gradient / v.squareRoot()
  }
}
