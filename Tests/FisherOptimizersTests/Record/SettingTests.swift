import FisherLinearAlgebra
import FisherOptimizers
import FisherPluginFirstOrder
import FisherRuntime
import OptimizerTestSupport
import FisherTestSupport
import Testing

/// Hyper-parameters as they are declared, set and read.
@Suite struct SettingTests {
  @Test func theTypedAndTheSpelledFormAgree() throws {
    let typed = AdamW(lr: 3e-3, beta2: 0.99, amsgrad: true)
    let spelled = try AdamW(["lr": 3e-3, "beta2": 0.99, "amsgrad": true])
    let parsed = AdamW(
      settings: try Settings(AdamW.record, parsing: ["lr": "3e-3", "beta2": "0.99", "amsgrad": "true"]))
    for optimizer in [typed, spelled, parsed] {
      #expect(optimizer.lr == 3e-3 && optimizer.beta1 == 0.9 && optimizer.beta2 == 0.99 && optimizer.amsgrad)
      #expect(optimizer.settings == typed.settings)
      #expect(optimizer.settings.given == ["lr": 3e-3, "beta2": 0.99, "amsgrad": true])
    }
  }

  @Test func theRecordListsWhatIsDeclared() {
    let names = ["lr", "beta1", "beta2", "eps", "weightDecay", "amsgrad"]
    #expect(AdamW.record.hyperparameters.map(\.name) == names)
    #expect(AdamW.record.hyperparameters[4].value == 0.01 && Adam.record.hyperparameters[4].value == 0.0)
    #expect(Grouped.record.hyperparameters.map(\.name) == ["lr", "shape", "clip"])
    #expect(Grouped.record.hyperparameters[1].range == .choice(["round", "square"]))
  }

  /// An initializer that the compiler wrote sets values too, and a copy is nobody else's.
  @Test func declaredValuesBehaveAsValues() throws {
    let typed = Grouped(lr: 0.5, shape: .square)
    #expect(typed.settings.given == ["lr": 0.5, "shape": "square"])
    let spelled = try Grouped(["shape": "square", "clip": 2])
    #expect(spelled.lr == 0.1 && spelled.shape == .square && spelled.common.clip == 2)
    #expect(Grouped().shape == .round && Grouped().common.clip == 1)
    var copy = spelled
    copy.shape = .round
    #expect(spelled.shape == .square && copy.shape == .round && copy.$shape.isGiven && !copy.$lr.isGiven)
    #expect(throws: SettingsError.self) { try Grouped(["shape": "oval"]) }
  }

  @Test func groupsKeepWhatWasSetInTheInitializer() throws {
    let driver = try OptimizerDriver<Double>(
      Grouped(lr: 0.5), parameters: [ParameterInfo(name: "w", shape: [2], role: .plain)],
      groups: [ParameterGroup("w", settings: ["clip": 3])])
    var values: [Matrix<Double>] = [[[1, 2]]]
    var gradients: [Matrix<Double>] = [[[1, 1]]]
    var stepping = driver
    _ = try stepping.step(values: &values, gradients: &gradients, objective: PlainObjective<Double>())
    let expected: Matrix<Double> = [[1 - 1.5, 2 - 1.5]]
    #expect(values[0] == expected)
  }

  @Test(.ownThread) func valuesOutsideTheirRangeTrap() async {
    await #expect(processExitsWith: .failure) { _ = SGD(lr: -1) }
    await #expect(processExitsWith: .failure) { _ = Grouped(lr: .nan) }
    await #expect(processExitsWith: .failure) {
      var sgd = SGD()
      sgd.momentum = 1
    }
  }

  @Test(arguments: [
    ("lr", 1e-50, "adam: lr is 1e-50, which is 0 in Float: the least number above 0 is 1e-45 there"),
    ("eps", 1e39, "adam: eps is 1e+39, which is inf in Float: the largest number is 3.4028235e+38 there"),
    (
      "weightDecay", 1e-46,
      "adam: weightDecay is 1e-46, which is 0 in Float: the least number above 0 is 1e-45 there"
    ),
    (
      "beta2", 1 - 1e-10,
      "adam: beta2 is 0.9999999999, which is 1 in Float: it must be a number from 0 below 1"
    ),
  ])
  func numbersThatTheElementTypeCannotHoldAreRefused(name: String, value: Double, message: String) throws {
    let adam = try Adam([name: .number(value)])
    let parameters = [ParameterInfo(name: "w", shape: [2], role: .plain)]
    #expect {
      _ = try OptimizerDriver<Float>(adam, parameters: parameters)
    } throws: {
      "\($0)" == message
    }
    _ = try OptimizerDriver<Double>(adam, parameters: parameters)
    #expect(throws: SettingsError.self) {
      _ = try OptimizerDriver<Float>(
        Adam(), parameters: parameters, groups: [ParameterGroup("w", settings: [name: .number(value)])])
    }
  }

  /// Five slots, of which two go unused, in one pass over a size that is no multiple of a vector's.
  @Test func rulesHaveAsManySlotsAsTheyName() throws {
    let parameter = ParameterInfo(name: "w", shape: [3, 7], role: .plain)
    var driver = try OptimizerDriver<Float>(Slots(), parameters: [parameter])
    var values = [Matrix<Float>(rows: 3, columns: 7)]
    var gradients = [Matrix<Float>(rows: 3, columns: 7) { Float(7 * $0 + $1) }]
    for _ in 0..<2 {
      _ = try driver.step(values: &values, gradients: &gradients, objective: PlainObjective<Float>())
    }
    let state = driver.state.tensors
    #expect(Set(state.keys) == Set(["a", "c", "d"].map { SlotKey("w", $0) }))
    for i in 0..<21 {
      let g = Float(i)
      #expect(state[SlotKey("w", "a")]!.array[i] == 2 * g && state[SlotKey("w", "c")]!.array[i] == 6 * g)
      #expect(state[SlotKey("w", "d")]!.array[i] == 8 * g && values[0].array[i] == -10 * g)
    }
  }
}

/// Hyper-parameters of its own and of a group; θ ← θ − lr·clip·g.
private struct Grouped: Optimizer {
  enum Shape: String, SettingChoice { case round, square }

  struct Common: SettingGroup {
    @Setting("bound", .positive, source: "test") var clip = 1.0
  }

  static let record = OptimizerRecord(
    name: "grouped", title: "Grouped", summary: "Has a group.", paper: "none",
    hyperparameters: Grouped.hyperparameters, invariances: [], cost: Cost([]), stateSize: "nothing")

  @Setting("rate", .positive, source: "test") var lr = 0.1
  @Setting("form", source: "test") var shape = Shape.round
  var common = Common()

  func plan<S: KernelScalar>(_ step: inout Step<S>) throws(StepRefusal) {
    let rule = Scaled<S>(factor: S(lr * common.clip))
    for parameter in step.parameters { step.apply(rule, to: parameter) }
  }

  func reference() -> any ReferenceOptimizer { fatalError("there is none") }
}

private struct Scaled<S: KernelScalar>: UpdateRule {
  let factor: S

  func update(_ x: inout Element<S>, _: inout NoState) { x.value -= factor * x.gradient }
}

private struct Slots: Optimizer {
  static let record = OptimizerRecord(
    name: "slots", title: "Slots", summary: "Has five slots.", paper: "none", hyperparameters: [],
    invariances: [], cost: Cost([]), stateSize: "3·P")

  func plan<S: KernelScalar>(_ step: inout Step<S>) throws(StepRefusal) {
    for parameter in step.parameters { step.apply(FiveSlots<S>(), to: parameter) }
  }

  func reference() -> any ReferenceOptimizer { fatalError("there is none") }
}

private struct FiveSlots<S: KernelScalar>: UpdateRule {
  struct State { var a, b, c, d, e: Lanes<S> }

  var unused: [PartialKeyPath<State>] { [\.b, \.e] }

  func update(_ x: inout Element<S>, _ state: inout State) {
    // What is written to a slot that goes unused is gone in the next step.
    x.value -= state.b + state.e + 5 * x.gradient
    state.a += x.gradient
    state.b += x.gradient
    state.c += 3 * x.gradient
    state.d += 4 * x.gradient
    state.e += x.gradient
  }
}
