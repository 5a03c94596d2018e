import FisherPluginABI

extension ForeignTable {
  /// Describes a parameter in a step for the time of a call.
  func withCall<R>(
    _ parameter: ParameterInfo, _ settings: Settings, number: Int, schedule: Double,
    _ body: (UnsafePointer<fisher_parameter>) -> R
  ) -> R {
    let values = record.hyperparameters.map { settings.number($0.name) }
    return parameter.name.withCString { name in
      parameter.role.rawValue.withCString { role in
        values.withUnsafeBufferPointer { values in
          var call = fisher_parameter(
            name: name, role: role, rows: Int64(parameter.rows), columns: Int64(parameter.columns),
            step: Int64(number), schedule: schedule, settings: values.baseAddress)
          return withUnsafePointer(to: &call, body)
        }
      }
    }
  }
}
