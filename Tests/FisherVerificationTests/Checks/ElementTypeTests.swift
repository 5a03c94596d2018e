import FisherKit
import Testing

/// A number that `Float` cannot hold is refused by name before the first step, whatever the optimizer; `Double` takes it.
@Test(arguments: OptimizerRegistry.builtIn.names, [1e-50, 1e39])
func numbersThatFloatCannotHoldAreRefused(name: String, value: Double) throws {
  let type = try OptimizerRegistry.builtIn.type(name)
  let parameters = [
    ParameterInfo(name: "layers.0.weight", shape: [2, 2], role: .linearWeight, layer: "layers.0")
  ]
  let unbounded = type.record.hyperparameters.filter { $0.range == .positive || $0.range == .nonNegative }
  #expect(unbounded.contains { $0.name == "lr" })
  for hyperparameter in unbounded {
    let optimizer = try type.init([hyperparameter.name: .number(value)])
    _ = try OptimizerDriver<Double>(optimizer, parameters: parameters, registry: .builtIn)
    #expect {
      _ = try OptimizerDriver<Float>(optimizer, parameters: parameters, registry: .builtIn)
    } throws: { error in
      let line = "\(name): \(hyperparameter.name) is \(value), which is \(value < 1 ? "0" : "inf") in Float: "
      return error is SettingsError && "\(error)".hasPrefix(line)
    }
  }
}
