import FisherLinearAlgebra
import FisherOptimizers
import FisherPluginFirstOrder
import FisherRuntime
import FisherTestSupport
import OptimizerTestSupport
import Testing

/// No step leaves NaN or infinity in weights, slots or averages, and one that would leaves all bits as they were.
@Suite struct FiniteStepTests {
  private static let adaptive: [@Sendable () throws -> any Optimizer] = [
    { Adam() }, { AdamW() }, { RMSprop() }, { AdaGrad() },
  ]

  /// The place of the bad element: in full vectors, in the rest of a row, and in another piece of work.
  private static let places = [0, 7, 8, 299, 70_000, 90_000]

  private func parameters(_ count: Int) -> [ParameterInfo] {
    [
      ParameterInfo(name: "a", shape: [3, 5], role: .linearWeight, layer: "first"),
      ParameterInfo(name: "w", shape: [count], role: .bias, layer: "second"),
    ]
  }

  /// Takes a good step and then one that must be refused.
  private func refusal<S: KernelScalar>(
    _: S.Type, _ optimizer: any Optimizer, averaging: Double? = nil, bad: S, at place: Int, others: S = 0.5
  ) throws -> StepRefusal? {
    let count = 90_001
    var driver = try OptimizerDriver<S>(
      optimizer, parameters: parameters(count), averaging: averaging, threads: 2)
    var values = [
      Matrix<S>(repeating: 1, rows: 3, columns: 5), Matrix<S>(repeating: 1, rows: 1, columns: count),
    ]
    func gradients(_ x: S) -> [Matrix<S>] {
      var gradients = values.map { Matrix<S>(repeating: others, rows: $0.rows, columns: $0.columns) }
      gradients[1][0, place] = x
      return gradients
    }
    var good = gradients(others)
    _ = try driver.step(values: &values, gradients: &good, objective: PlainObjective<S>())
    let (oldValues, oldState) = (values, driver.state.fingerprint)
    var wrong = gradients(bad)
    let refusal = #expect(throws: StepRefusal.self) {
      try driver.step(values: &values, gradients: &wrong, objective: PlainObjective<S>())
    }
    #expect(values == oldValues && driver.state.fingerprint == oldState && driver.stepCount == 1)
    // The driver goes on as one that never saw the wrong step.
    good = gradients(others)
    _ = try driver.step(values: &values, gradients: &good, objective: PlainObjective<S>())
    #expect(values.allSatisfy { $0.array.allSatisfy(\.isFinite) } && driver.stepCount == 2)
    return refusal
  }

  /// The square of 1e22 is infinite in `Float`: a second moment that would hold its weight still for ever.
  @Test(arguments: places)
  func squaresThatOverflowAreRefused(place: Int) throws {
    for make in Self.adaptive {
      let optimizer = try make()
      let name = type(of: optimizer).record.name
      guard case .nonFiniteState(name, let slot)? = try refusal(Float.self, optimizer, bad: 1e22, at: place)
      else {
        Issue.record("\(name) at \(place)")
        continue
      }
      #expect(slot.owner == "w", "\(name)")
      guard case .nonFiniteState? = try refusal(Double.self, optimizer, bad: 1e200, at: place) else {
        Issue.record("\(name) at \(place) in Double")
        continue
      }
    }
  }

  @Test(arguments: places)
  func weightsThatOverflowAreRefused(place: Int) throws {
    let sgd = try SGD(["lr": 1e10, "momentum": 0])
    #expect(
      try refusal(Float.self, sgd, bad: 3e38, at: place)
        == .nonFiniteValue(optimizer: "sgd", parameter: "w", layer: "second", index: place))
    #expect(
      try refusal(Double.self, sgd, bad: -1e308, at: place)
        == .nonFiniteValue(optimizer: "sgd", parameter: "w", layer: "second", index: place))
  }

  /// 0/0 in the lanes past the end of a row is no reason for a refusal.
  @Test func lanesPastTheEndDoNotCount() throws {
    var driver = try OptimizerDriver<Float>(
      Quotient(), parameters: [ParameterInfo(name: "w", shape: [3], role: .plain)])
    var values: [Matrix<Float>] = [[[1, 2, 4]]]
    var gradients: [Matrix<Float>] = [[[1, 1, 2]]]
    _ = try driver.step(values: &values, gradients: &gradients, objective: PlainObjective<Float>())
    #expect(values == [[[1, 2, 2]]])
    gradients = [[[1, 0, 2]]]
    #expect(throws: StepRefusal.nonFiniteValue(optimizer: "quotient", parameter: "w", layer: nil, index: 1)) {
      try driver.step(values: &values, gradients: &gradients, objective: PlainObjective<Float>())
    }
    #expect(values == [[[1, 2, 2]]])
  }

  /// The average of 3e38 and −3e38 lies between them, but their difference is infinite.
  @Test func averagesThatOverflowAreRefused() throws {
    var driver = try OptimizerDriver<Float>(
      try SGD(["lr": 1, "momentum": 0]), parameters: [ParameterInfo(name: "w", shape: [2], role: .plain)],
      averaging: 0.5)
    var values: [Matrix<Float>] = [[[1, 3e38]]]
    var gradients: [Matrix<Float>] = [[[1, 0]]]
    _ = try driver.step(values: &values, gradients: &gradients, objective: PlainObjective<Float>())
    gradients = [[[0, 3e38]]]
    _ = try driver.step(values: &values, gradients: &gradients, objective: PlainObjective<Float>())
    #expect(driver.averages?[0].array == [0.25, 1.5e38])
    gradients = [[[0, 3e38]]]
    let before = (values, driver.state.fingerprint)
    let refusal = #expect(throws: StepRefusal.self) {
      try driver.step(values: &values, gradients: &gradients, objective: PlainObjective<Float>())
    }
    #expect(refusal == .nonFiniteState(optimizer: "the run", slot: SlotKey("w", "running average")))
    #expect(values == before.0 && driver.state.fingerprint == before.1)
  }

  /// An optimizer may call its slots as it likes: the run's average and step number are not among them.
  @Test func slotsOfTheRunAreNotThoseOfTheOptimizer() throws {
    var driver = try OptimizerDriver<Double>(
      Impostor(), parameters: [ParameterInfo(name: "run", shape: [1], role: .plain)], averaging: 0.5)
    var values: [Matrix<Double>] = [[[8]]]
    for _ in 0..<2 {
      var gradients: [Matrix<Double>] = [[[4]]]
      _ = try driver.step(values: &values, gradients: &gradients, objective: PlainObjective<Double>())
    }
    #expect(values == [[[0]]] && driver.stepCount == 2)
    // 8 → 6 → 3, while the slots of the same names hold −1 and −2.
    #expect(driver.averages == [[[3]]])
  }

  @Test func stateOfAnotherShapeIsRefused() throws {
    let parameter = ParameterInfo(name: "w", shape: [2], role: .plain)
    var driver = try OptimizerDriver<Double>(Adam(), parameters: [parameter])
    var values: [Matrix<Double>] = [[[1, 2]]]
    var gradients = values
    _ = try driver.step(values: &values, gradients: &gradients, objective: PlainObjective<Double>())
    var state = driver.state
    for key in state.tensors.keys { state.tensors[key] = [[1, 2, 3]] }
    driver.restore(state)
    let old = values
    let refusal = #expect(throws: StepRefusal.self) {
      try driver.step(values: &values, gradients: &gradients, objective: PlainObjective<Double>())
    }
    #expect("\(refusal!)".contains("the state of 1×3 does not fit w 2"), "\(refusal!)")
    #expect(values == old)
  }
}

/// θ ← θ/g.
private struct Quotient: Optimizer {
  static let record = OptimizerRecord(
    name: "quotient", title: "Quotient", summary: "Divides.", paper: "none", needs: [.gradients],
    hyperparameters: [], invariances: [], cost: Cost([]), stateSize: "nothing", probes: [[:]])
  func plan<S: KernelScalar>(_ step: inout Step<S>) throws(StepRefusal) {
    for parameter in step.parameters { step.apply(Division<S>(), to: parameter) }
  }

  func reference() -> any ReferenceOptimizer { fatalError("there is none") }
}

private struct Division<S: KernelScalar>: UpdateRule {
  func update(_ x: inout Element<S>, _: inout NoState) { x.value = x.value / x.gradient }
}

/// Keeps −1 in slots that have the names of the driver's own.
private struct Impostor: Optimizer {
  static let record = OptimizerRecord(
    name: "impostor", title: "Impostor", summary: "Takes names.", paper: "none", needs: [.gradients],
    hyperparameters: [], invariances: [], cost: Cost([]), stateSize: "2·P", probes: [[:]])
  func plan<S: KernelScalar>(_ step: inout Step<S>) throws(StepRefusal) {
    for parameter in step.parameters {
      step.set("t", of: parameter.name, to: -1)
      step.apply(Counting<S>(), to: parameter)
    }
  }

  func reference() -> any ReferenceOptimizer { fatalError("there is none") }
}

private struct Counting<S: KernelScalar>: UpdateRule {
  struct State { var average, `running average`: Lanes<S> }

  func update(_ x: inout Element<S>, _ state: inout State) {
    x.value -= x.gradient
    state.average -= Lanes(repeating: 1)
    state.`running average` -= Lanes(repeating: 1)
  }
}
