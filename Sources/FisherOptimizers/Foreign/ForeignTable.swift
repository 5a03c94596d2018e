import FisherPluginABI
import FisherRuntime

/// What a plugin says of an optimizer, checked and copied.
package struct ForeignTable: Sendable {
  /// How the optimizer is written.
  enum Form: Sendable {
    case byParameter(ForeignUpdate)
    case byStep(ForeignFunction, reference: ForeignFunction)
  }

  package let record: OptimizerRecord
  /// Of a method by the parameter.
  package let slots: [String]
  let form: Form
  /// The naive form of a method by the parameter.
  let reference: (function: fisher_update_f64, line: PluginCall.Line)?
  let needsAt: (@convention(c) @Sendable (Int64, UnsafePointer<Double>?) -> UInt32)?

  /// The bytes of a table of version 1.
  package static let firstSize = UInt64(MemoryLayout<fisher_optimizer>.offset(of: \.step)!)

  /// - Throws: ``PluginError``.
  package init(_ table: fisher_optimizer, from path: String) throws(PluginError) {
    guard table.magic == FISHER_PLUGIN_MAGIC else { throw .foreign(path: path) }
    let size =
      switch table.version {
      case 1: Self.firstSize
      case FISHER_PLUGIN_VERSION: UInt64(MemoryLayout<fisher_optimizer>.size)
      default: throw .version(path: path, got: table.version)
      }
    guard table.size == size else { throw .size(path: path, got: table.size, wanted: size) }
    var table = table
    if table.version == 1 { table.forgetLaterParts() }
    var reader = ForeignReader(path: path)
    let name = try reader.name(table.name, "name", isLowerCase: true)
    reader.optimizer = name
    needsAt = table.needs_at.map {
      unsafeBitCast($0, to: (@convention(c) @Sendable (Int64, UnsafePointer<Double>?) -> UInt32).self)
    }
    slots = try reader.slots(table.slots, table.slot_count, "slots")
    if let step = table.step {
      if table.update_f32 != nil || table.update_f64 != nil || table.reference != nil || !slots.isEmpty {
        throw reader.invalid("it has a step and update functions or slots; it must be one or the other")
      }
      let reference = try reader.required(table.reference_step, "reference_step")
      form = .byStep(
        ForeignFunction(function: step, line: PluginCall.Line(path, "step of '\(name)'")),
        reference: ForeignFunction(
          function: reference, line: PluginCall.Line(path, "reference_step of '\(name)'")))
      self.reference = nil
    } else {
      form = .byParameter(
        ForeignUpdate(
          float: try reader.required(table.update_f32, "update_f32"),
          double: try reader.required(table.update_f64, "update_f64"),
          lines: (
            PluginCall.Line(path, "update_f32 of '\(name)'"), PluginCall.Line(path, "update_f64 of '\(name)'")
          ), isElementwise: table.facts & UInt32(FISHER_ELEMENTWISE) != 0))
      reference = (
        try reader.required(table.reference, "reference"), PluginCall.Line(path, "reference of '\(name)'")
      )
    }
    record = try reader.record(table, named: name, slots: slots)
  }
}

extension fisher_optimizer {
  /// Version 1 knows of nothing behind its end, whatever lies there.
  fileprivate mutating func forgetLaterParts() {
    (step, reference_step, needs_at, fallback, state_size) = (nil, nil, nil, nil, nil)
    (costs, probes, derived_slots, momentum) = (nil, nil, nil, nil)
    (needs, roles, cost_count, probe_count, derived_slot_count, reserved_2) = (0, 0, 0, 0, 0, 0)
  }
}
