import FisherLinearAlgebra
import FisherOptimizers
import FisherRuntime
import FisherTestSupport
import OptimizerTestSupport
import Testing

/// Gradients are looked at where they are read, and one that is not finite always refuses the step by its name.
@Suite struct GradientCheckTests {
  private static let shape = [70, 90]

  private func refusal(
    _ optimizer: any Optimizer, bad: Double, clipping: Clipping = .none
  ) throws -> StepRefusal? {
    let parameters = ["a", "b"].map { ParameterInfo(name: $0, shape: Self.shape, role: .plain) }
    var driver = try OptimizerDriver<Double>(
      optimizer, parameters: parameters, clipping: clipping, threads: 2)
    var values = [Matrix<Double>](repeating: Matrix(repeating: 1, rows: 70, columns: 90), count: 2)
    var gradients = [Matrix<Double>](repeating: Matrix(repeating: 0.5, rows: 70, columns: 90), count: 2)
    _ = try driver.step(values: &values, gradients: &gradients, objective: PlainObjective<Double>())
    gradients = [Matrix<Double>](repeating: Matrix(repeating: 0.5, rows: 70, columns: 90), count: 2)
    gradients[1][2, 3] = bad
    let (old, state) = (values, driver.state.fingerprint)
    let refusal = #expect(throws: StepRefusal.self) {
      try driver.step(values: &values, gradients: &gradients, objective: PlainObjective<Double>())
    }
    #expect(values == old && driver.state.fingerprint == state && driver.stepCount == 1)
    return refusal
  }

  /// Whether the optimizer leaves g to its update, reads it while it plans, fails because of it, or does not look at it.
  @Test(arguments: [Double.nan, .infinity, -.infinity])
  func badGradientsAreNamed(bad: Double) throws {
    let expected = StepRefusal.nonFiniteGradient(parameter: "b", layer: nil, index: 183)
    for use in Reading.Use.allCases {
      #expect(try refusal(Reading(use: use), bad: bad) == expected, "\(use)")
    }
    #expect(try refusal(Reading(use: .updates), bad: bad, clipping: .norm(1)) == expected)
    #expect(try refusal(Reading(use: .updates), bad: bad, clipping: .value(1)) == expected)
  }

  /// A direction of the optimizer's own is not the gradient's fault; nor does a rule that would hide it get through.
  @Test func badDirectionsAreNamed() throws {
    let refusal = try refusal(Reading(use: .breaks), bad: 2)
    #expect("\(refusal!)" == "reading: b: the direction is not finite at element 183; no step was taken")
  }
}

private struct Reading: Optimizer {
  enum Use: String, SettingChoice { case updates, reads, fails, ignores, breaks }

  static let record = OptimizerRecord(
    name: "reading", title: "Reading", summary: "Reads gradients.", paper: "none", needs: [.gradients],
    hyperparameters: [], invariances: [], cost: Cost([]), stateSize: "nothing", probes: [[:]])
  @Setting("what is done with g", source: "none") var use = Use.updates

  init() {}

  init(use: Use) { self.use = use }

  func plan<S: KernelScalar>(_ step: inout Step<S>) throws(StepRefusal) {
    for parameter in step.parameters {
      switch use {
      case .updates: step.apply(SignRule<S>(), to: parameter)
      case .ignores: break
      case .reads, .fails, .breaks:
        let g = step.gradient(parameter)
        precondition(g.array.allSatisfy(\.isFinite), "plans see finite gradients")
        if use == .fails && g[2, 3] == 0 {
          throw .failed(optimizer: "reading", place: parameter.name, reason: "a zero")
        }
        var direction = g
        if use == .breaks && g[2, 3] == 2 { direction[2, 3] = .infinity }
        step.apply(SignRule<S>(), to: parameter, gradient: direction)
      }
    }
  }

  func reference() -> any ReferenceOptimizer { fatalError("there is none") }
}

/// θ ← θ − sign(g)/8, which is finite whatever g is.
private struct SignRule<S: KernelScalar>: UpdateRule {
  func update(_ x: inout Element<S>, _: inout NoState) { x.value -= S(0.125) * x.gradient.sign }
}
