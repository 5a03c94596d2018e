import FisherLinearAlgebra
import FisherOptimizers
import FisherPluginFirstOrder
import FisherRuntime
import OptimizerTestSupport
import Testing

/// State that decays ends at zero: a unit that no gradient reaches any more costs what the others cost.
@Suite struct StepUnderflowTests {
  private static let methods: [@Sendable () -> any Optimizer] = [
    { SGD() }, { Adam() }, { AdamW() }, { NAdam() }, { RMSprop() }, { Lion() }, { Adan() },
  ]

  private static let parameters = [ParameterInfo(name: "w", shape: [70_001], role: .bias, layer: "layer")]

  /// A few steps with gradients of many sizes, then steps with zeros until all that decays by 0.99 has gone.
  private func state<S: KernelScalar>(_: S.Type, of optimizer: any Optimizer, threads: Int) throws
    -> OptimizerState<S>
  {
    let count = 70_001
    var driver = try OptimizerDriver<S>(
      optimizer, parameters: Self.parameters, averaging: 0.5, threads: threads)
    var values = [Matrix<S>(repeating: 1, rows: 1, columns: count)]
    for step in 0..<400 {
      var gradients = [
        Matrix<S>(rows: 1, columns: count) { _, j in
          step < 3 ? S(Double(j % 13 - 6) * Double(sign: .plus, exponent: -(j % 120), significand: 1)) : 0
        }
      ]
      _ = try driver.step(values: &values, gradients: &gradients, objective: PlainObjective<S>())
      try #require(Underflow.current == .gradual)
    }
    return driver.state
  }

  @Test(arguments: methods.indices)
  func noSlotStaysSubnormal(index: Int) throws {
    let optimizer = Self.methods[index]()
    let name = type(of: optimizer).record.name
    let state = try state(Float.self, of: optimizer, threads: 2)
    for (key, tensor) in state.tensors {
      let subnormal = tensor.array.count { $0.isSubnormal }
      #expect(subnormal == 0, "\(name): \(key)")
    }
    let alone = try self.state(Float.self, of: optimizer, threads: 1)
    #expect(alone.fingerprint == state.fingerprint, "\(name)")
  }

  @Test func aRefusedStepLeavesTheThreadAsItWas() throws {
    var driver = try OptimizerDriver<Float>(Adam(), parameters: Self.parameters, threads: 1)
    var values = [Matrix<Float>(repeating: 1, rows: 1, columns: 70_001)]
    var gradients = [Matrix<Float>(repeating: .nan, rows: 1, columns: 70_001)]
    #expect(throws: StepRefusal.self) {
      try driver.step(values: &values, gradients: &gradients, objective: PlainObjective<Float>())
    }
    #expect(Underflow.current == .gradual)
  }
}
