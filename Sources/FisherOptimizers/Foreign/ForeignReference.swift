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

  mutating func step(_ step: inout ReferenceStep) {
    number += 1
    if states.isEmpty { states = step.values.map { value in table.slots.map { _ in value.map { _ in 0 } } } }
    for (p, parameter) in step.parameters.enumerated() where parameter.count > 0 {
      table.withCall(parameter, settings, number: number, schedule: step.schedule) { call in
        var addresses: [UnsafeMutablePointer<Double>?] = states[p].map { state in
          let copy = UnsafeMutablePointer<Double>.allocate(capacity: state.count)
          copy.initialize(from: state, count: state.count)
          return copy
        }
        let status = step.values[p].withUnsafeMutableBufferPointer { value in
          step.gradients[p].withUnsafeBufferPointer { gradient in
            table.reference(call, value.baseAddress, gradient.baseAddress, &addresses)
          }
        }
        if status != 0 { fatalError("\(table.record.name): its reference returned \(status)") }
        for (s, address) in addresses.enumerated() {
          states[p][s] = Array(UnsafeBufferPointer(start: address, count: parameter.count))
          address?.deallocate()
        }
      }
    }
  }
}
