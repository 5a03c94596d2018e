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
    hyperparameters: [
      .learningRate(0.01, source: "PyTorch"),
      Hyperparameter("decay", "τ: β = 1 − t^τ", -0.8, .closed(-10, 0), source: "Shazeer & Stern 2018"),
      Hyperparameter("eps1", "ε₁, the floor of V; 0: machine epsilon", 0.0, .nonNegative, source: "PyTorch"),
      Hyperparameter("eps2", "ε₂, the floor of RMS(θ)", 1e-3, .nonNegative, source: "Shazeer & Stern 2018"),
      Hyperparameter("clip", "d, the bound of RMS(U)", 1.0, .positive, source: "Shazeer & Stern 2018"),
      .weightDecay(0, decoupled: true, source: "PyTorch"),
    ],
    invariances: [.unitPermutation, .sign],
    cost: Cost(
      flops: 8 * .P, elements: 3 * .P,
      note: "and sums in double precision: two passes over g and one over θ"),
    stateSize: "rows + columns of a matrix, the elements of a vector", dependsOnStepNumber: true)

  public let settings: Settings

  public init(settings: Settings) { self.settings = settings }

  @specialized(where S == Float) @specialized(where S == Double)
  public func plan<S: KernelScalar>(_ step: inout Step<S>) throws(StepRefusal) {
    let t = Double(step.number)
    let α = settings.number("lr") * step.schedule
    let ρ = min(α, 1 / t.squareRoot())
    let keep = 1 - realPower(t, settings.number("decay"))
    let ε1 = S(settings.number("eps1") > 0 ? settings.number("eps1") : Double(S.ulpOfOne))
    for parameter in step.parameters {
      let g = step.gradient(parameter)
      let a = max(settings.number("eps2"), rootMeanSquare(step.value(parameter))) * ρ
      let moments = SecondMoments(g, keep: keep, parameter, step)
      let (row, column) = moments.factors(floor: Double(ε1))
      let d = directionScale(g, row: row, column: column, floor: ε1)
      let rule = AdafactorRule<S>(
        a: S(a / max(1, d / settings.number("clip"))), shrink: S(1 - α * settings.number("weightDecay")),
        floor: ε1 * ε1)
      moments.stage(parameter, &step)
      step.apply(rule, to: parameter, row: row, column: column)
    }
  }

  public func reference() -> any ReferenceOptimizer { NaiveAdafactor(settings) }
}

struct AdafactorRule<S: KernelScalar>: UpdateRule {
  let a, shrink, floor: S

  var slots: [String?] { [] }

  @inline(__always)
  func update(_ x: inout Element<S>) {
    let v = maximum(x.row * x.column, Lanes<S>(repeating: floor))
    x.value = shrink * x.value - a * x.gradient / squareRoot(v)
  }
}
