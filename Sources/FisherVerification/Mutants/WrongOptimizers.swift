import FisherLinearAlgebra
import FisherOptimizers

/// Takes memory for every row of every parameter in every step, around a right method.
struct Hoard: OptimizerPart {
  static let record = PartRecord(
    name: "hoard", title: "hoard", summary: "Memory is wasted.", paper: "none", place: .beside, cost: Cost([])
  )

  func plan<S: KernelScalar>(_ step: inout Step<S>, around method: WrappedMethod<S>) throws(StepRefusal) {
    for parameter in step.parameters {
      for _ in 0..<parameter.rows { _ = Matrix<S>(rows: 1, columns: parameter.columns) }
    }
    try method.plan(&step)
  }

  func reference(around method: any ReferenceOptimizer, lr: Double) -> any ReferenceOptimizer { method }
}

/// Plans by the text for any element type, around a right method: every element goes through tables of functions.
struct Unspecialized: OptimizerPart {
  static let record = PartRecord(
    name: "unspecialized", title: "unspecialized", summary: "Time is wasted.", paper: "none", place: .beside,
    cost: Cost([]))

  func plan<S: KernelScalar>(_ step: inout Step<S>, around method: WrappedMethod<S>) throws(StepRefusal) {
    step.isSpecialized = false
    try method.plan(&step)
  }

  func reference(around method: any ReferenceOptimizer, lr: Double) -> any ReferenceOptimizer { method }
}

extension Optimizer {
  /// The same method with something wrong around it.
  func wrapped(in part: some OptimizerPart) -> any Optimizer { With(part, around: self) }

  /// The same method with twice the weight decay.
  var decayingTwice: any Optimizer {
    let name = Self.record.decaySetting
    guard case .number(let decay)? = settings.values[name] else { return self }
    return (try? Self(settings.given.merging([name: .number(2 * decay)]) { $1 })) ?? self
  }
}

/// θ ← θ − α·g, under the settings of another method.
struct Descent: Optimizer {
  static let record = OptimizerRecord(
    name: "descent", title: "Descent", summary: "Gradient descent.", paper: "Cauchy 1847",
    hyperparameters: [],
    invariances: [], cost: Cost(flops: 2 * .P, elements: 3 * .P), stateSize: "nothing")

  let α: Double

  init() { α = 0.01 }

  init(settings: Settings) { α = settings.number("lr") }

  func plan<S: KernelScalar>(_ step: inout Step<S>) throws(StepRefusal) {
    let rule = DescentRule<S>(α: S(α * step.schedule))
    for parameter in step.parameters { step.apply(rule, to: parameter) }
  }

  func reference() -> any ReferenceOptimizer { NaiveDescent() }
}

struct DescentRule<S: KernelScalar>: UpdateRule {
  let α: S

  func update(_ x: inout Element<S>, _: inout NoState) { x.value -= α * x.gradient }
}

/// θ ← θ − α·c·max(g, 0), where c falls from column to column.
struct Lopsided: Optimizer {
  static var record: OptimizerRecord { Descent.record }

  let α: Double

  init() { α = 0.01 }

  init(settings: Settings) { α = settings.number("lr") }

  func plan<S: KernelScalar>(_ step: inout Step<S>) throws(StepRefusal) {
    let rule = LopsidedRule<S>(α: S(α * step.schedule))
    for parameter in step.parameters {
      let factors = (0..<parameter.columns).map { (j: Int) -> S in 1 + 1 / S(j + 1) }
      step.apply(
        rule, to: parameter, column: Matrix(factors, rows: 1, columns: parameter.columns))
    }
  }

  func reference() -> any ReferenceOptimizer { NaiveDescent() }
}

struct LopsidedRule<S: KernelScalar>: UpdateRule {
  let α: S

  func update(_ x: inout Element<S>, _: inout NoState) {
    x.value -= α * x.column * Lanes.maximum(x.gradient, .zero)
  }
}

private struct NaiveDescent: ReferenceOptimizer {
  mutating func step(_ step: inout ReferenceStep) {}
}
