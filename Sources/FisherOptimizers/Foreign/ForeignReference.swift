import FisherCurvature
import FisherPluginABI

/// The naive form that a plugin brings along.
struct ForeignReference: ReferenceOptimizer {
  let settings: Settings
  let table: ForeignTable
  private var number = 0
  private var states: [[[Double]]] = []

  init(settings: Settings, table: ForeignTable) {
    self.settings = settings
    self.table = table
  }

  /// A reference that fails leaves NaN, which agrees with nothing.
  mutating func step(_ step: inout ReferenceStep) {
    number += 1
    if states.isEmpty { states = step.values.map { value in table.slots.map { _ in value.map { _ in 0 } } } }
    for (p, parameter) in step.parameters.enumerated() where parameter.count > 0 {
      let status = table.callReference(
        parameter, settings, number: number, schedule: step.schedule, value: &step.values[p],
        gradient: step.gradients[p], &states[p])
      if status != 0 { step.values[p] = step.values[p].map { _ in .nan } }
    }
  }

  /// One step on a small parameter: what cannot even do that is not loaded.
  static func tryOut(_ table: ForeignTable, from path: String) throws(PluginError) {
    guard let settings = try? Settings(table.record) else { return }
    let parameter = ParameterInfo(
      name: "layers.0.weight", shape: [2, 3], role: .linearWeight, layer: "layers.0")
    var value = [0.5, -0.25, 1, -1, 0.125, 2]
    var states = table.slots.map { _ in value.map { _ in 0.0 } }
    let status = table.callReference(
      parameter, settings, number: 1, schedule: 1, value: &value, gradient: [1, -0.5, 0.25, 2, -1, 0.5],
      &states)
    if status != 0 {
      throw .invalid(
        path: path, optimizer: table.record.name, reason: "its reference fails with its defaults: \(status)")
    }
  }
}

extension ForeignTable {
  /// Calls the reference on one parameter.
  ///
  /// - Returns: what it returns, 0 if it has worked.
  fileprivate func callReference(
    _ parameter: ParameterInfo, _ settings: Settings, number: Int, schedule: Double, value: inout [Double],
    gradient: [Double], _ states: inout [[Double]]
  ) -> Int32 {
    withCall(parameter, settings, number: number, schedule: schedule) { call in
      var addresses: [UnsafeMutablePointer<Double>?] = states.map { state in
        let copy = UnsafeMutablePointer<Double>.allocate(capacity: state.count)
        copy.initialize(from: state, count: state.count)
        return copy
      }
      let status = value.withUnsafeMutableBufferPointer { value in
        gradient.withUnsafeBufferPointer { gradient in
          PluginCall.perform(lines.reference) {
            reference(call, value.baseAddress, gradient.baseAddress, &addresses)
          }
        }
      }
      for (s, address) in addresses.enumerated() {
        states[s] = Array(UnsafeBufferPointer(start: address, count: parameter.count))
        address?.deallocate()
      }
      return status
    }
  }
}
