import FisherCurvature
import FisherPluginABI

/// A function of a plugin that takes a whole step, with what is said if it ends the process.
struct ForeignFunction: Sendable {
  let function: fisher_step_function
  let line: PluginCall.Line

  func perform(_ body: (fisher_step_function) -> Int32) -> Int32 {
    PluginCall.perform(line) { body(function) }
  }
}

/// The functions of a plugin that take a parameter.
struct ForeignUpdate: Sendable {
  let float: fisher_update_f32
  let double: fisher_update_f64
  let lines: (float: PluginCall.Line, double: PluginCall.Line)
  /// May be called with pieces, on several threads.
  let isElementwise: Bool

  /// Names the plugin and the function, should they end the process within `body`.
  func named<R>(elementSize: Int, _ body: () -> R) -> R {
    PluginCall.perform(elementSize == MemoryLayout<Float>.size ? lines.float : lines.double, body)
  }

  /// Calls the function for the element type, which is laid out like float or double.
  func callAsFunction(
    _ call: UnsafePointer<fisher_parameter>, elementSize: Int, _ value: UnsafeMutableRawPointer?,
    _ gradient: UnsafeRawPointer?, _ states: UnsafePointer<UnsafeMutableRawPointer?>?
  ) -> Int32 {
    let states = UnsafeRawPointer(states)
    if elementSize == MemoryLayout<Float>.size {
      return float(
        call, value?.assumingMemoryBound(to: Float.self), gradient?.assumingMemoryBound(to: Float.self),
        states?.assumingMemoryBound(to: UnsafeMutablePointer<Float>?.self))
    }
    return double(
      call, value?.assumingMemoryBound(to: Double.self), gradient?.assumingMemoryBound(to: Double.self),
      states?.assumingMemoryBound(to: UnsafeMutablePointer<Double>?.self))
  }
}

extension ForeignTable {
  /// The hyper-parameters in the order of the table; a flag is 0 or 1.
  package func numbers(of settings: Settings) -> [Double] {
    record.hyperparameters.map { parameter in
      switch settings.values[parameter.name] {
      case .number(let x)?: return x
      case .integer(let n)?: return Double(n)
      case .flag(let flag)?: return flag ? 1 : 0
      case .choice, nil: fatalError("a plugin has no hyper-parameter of this kind: \(parameter.name)")
      }
    }
  }

  /// What a step needs.
  func needs(step number: Int, _ settings: Settings) -> Needs {
    guard let needsAt else { return record.needs }
    return Needs(
      rawValue: Int(numbers(of: settings).withUnsafeBufferPointer { needsAt(Int64(number), $0.baseAddress) })
    )
    .intersection(record.needs)
  }

  /// Describes a parameter in a step for the time of a call.
  ///
  /// - Parameters:
  ///   - parameter: what is updated.
  ///   - numbers: the hyper-parameters, as ``numbers(of:)`` gives them.
  ///   - number: of the step, from 1.
  ///   - schedule: what multiplies the learning rate.
  ///   - body: is handed the description.
  func withCall<R>(
    _ parameter: ParameterInfo, _ numbers: [Double], number: Int, schedule: Double,
    _ body: (UnsafePointer<fisher_parameter>) -> R
  ) -> R {
    parameter.name.withCString { name in
      parameter.role.rawValue.withCString { role in
        numbers.withUnsafeBufferPointer { values in
          var call = fisher_parameter(
            name: name, role: role, rows: Int64(parameter.rows), columns: Int64(parameter.columns),
            step: Int64(number), schedule: schedule, settings: values.baseAddress)
          return withUnsafePointer(to: &call, body)
        }
      }
    }
  }
}
