import FisherPluginABI
import FisherRuntime

/// What a plugin says of an optimizer, checked and copied.
struct ForeignTable: Sendable {
  let record: OptimizerRecord
  let slots: [String]
  let updateFloat: fisher_update_f32
  let updateDouble: fisher_update_f64
  let reference: fisher_update_f64
  /// What is said if one of the three ends the process.
  let lines: (updateFloat: PluginCall.Line, updateDouble: PluginCall.Line, reference: PluginCall.Line)

  /// - Throws: ``PluginError``.
  init(_ table: fisher_optimizer, from path: String) throws(PluginError) {
    guard table.magic == FISHER_PLUGIN_MAGIC else { throw .foreign(path: path) }
    guard table.version == FISHER_PLUGIN_VERSION else { throw .version(path: path, got: table.version) }
    guard table.size == MemoryLayout<fisher_optimizer>.size else { throw .size(path: path, got: table.size) }
    var reader = ForeignReader(path: path)
    let name = try reader.name(table.name, "name", isLowerCase: true)
    reader.optimizer = name
    updateFloat = try reader.required(table.update_f32, "update_f32")
    updateDouble = try reader.required(table.update_f64, "update_f64")
    reference = try reader.required(table.reference, "reference")
    slots = try Self.slots(table, reader)
    record = OptimizerRecord(
      name: name, title: try reader.text(table.title, "title"),
      summary: try reader.text(table.summary, "summary"), paper: try reader.text(table.paper, "paper"),
      hyperparameters: try Self.hyperparameters(table, reader),
      invariances: try Self.invariances(table, reader),
      cost: Cost(
        [Cost.Part(.parameter, flops: 0, elements: Self.elements(slots.count))],
        note: "flops inside of the plugin are not counted"),
      stateSize: slots.isEmpty ? "nothing" : "\(slots.count)·P",
      dependsOnStepNumber: table.facts & UInt32(FISHER_DEPENDS_ON_STEP) != 0)
    lines = (
      PluginCall.Line(path, "update_f32 of '\(name)'"), PluginCall.Line(path, "update_f64 of '\(name)'"),
      PluginCall.Line(path, "reference of '\(name)'")
    )
  }

  private static func slots(
    _ table: fisher_optimizer, _ reader: ForeignReader
  ) throws(PluginError) -> [String] {
    var slots: [String] = []
    for i in 0..<(try reader.count(table.slot_count, "slots")) {
      slots.append(try reader.name(try reader.required(table.slots, "slots")[i], "name for slot \(i)"))
    }
    try reader.requireDistinct(slots, "slots")
    // The driver keeps the running average of the weights under this name.
    if slots.contains("average") { throw reader.invalid("no slot can be named 'average'") }
    return slots
  }

  private static func hyperparameters(
    _ table: fisher_optimizer, _ reader: ForeignReader
  ) throws(PluginError) -> [Hyperparameter] {
    var hyperparameters: [Hyperparameter] = []
    for i in 0..<(try reader.count(table.hyperparameter_count, "hyper-parameters")) {
      let entry = try reader.required(table.hyperparameters, "hyperparameters")[i]
      hyperparameters.append(
        try hyperparameter(entry, try reader.name(entry.name, "name for hyper-parameter \(i)"), reader))
    }
    try reader.requireDistinct(hyperparameters.map(\.name), "hyper-parameters")
    _ = try reader.required(hyperparameters.first { $0.name == "lr" }, "hyper-parameter lr")
    return hyperparameters
  }

  private static func hyperparameter(
    _ entry: fisher_hyperparameter, _ name: String, _ reader: ForeignReader
  ) throws(PluginError) -> Hyperparameter {
    let range: SettingRange
    switch Int(entry.range) {
    case FISHER_POSITIVE: range = .positive
    case FISHER_NON_NEGATIVE: range = .nonNegative
    case FISHER_HALF_OPEN where entry.low < entry.high: range = .halfOpen(entry.low, entry.high)
    case FISHER_CLOSED where entry.low <= entry.high: range = .closed(entry.low, entry.high)
    case FISHER_HALF_OPEN, FISHER_CLOSED:
      throw reader.invalid(
        "the range of \(name) from \(shortest(entry.low)) to \(shortest(entry.high)) is empty")
    default:
      throw .incomplete(path: reader.path, optimizer: reader.optimizer, missing: "known range for \(name)")
    }
    guard range.admit(.number(entry.value)) != nil else {
      throw reader.invalid("the default of \(name) is \(shortest(entry.value)); it must be \(range)")
    }
    if entry.reserved != 0 { throw reader.invalid("the reserved field of \(name) is not 0") }
    return Hyperparameter(
      name, try reader.text(entry.meaning, "meaning of \(name)"), .number(entry.value), range,
      source: try reader.text(entry.source, "source of \(name)"))
  }

  private static func invariances(
    _ table: fisher_optimizer, _ reader: ForeignReader
  ) throws(PluginError) -> [Invariance] {
    let bits: [(Int, Invariance)] = [
      (FISHER_LOSS_SCALE, .lossScale), (FISHER_ELEMENT_PERMUTATION, .elementPermutation),
      (FISHER_UNIT_PERMUTATION, .unitPermutation), (FISHER_SIGN, .sign), (FISHER_ROTATION, .rotation),
    ]
    let known = bits.reduce(UInt32(FISHER_DEPENDS_ON_STEP)) { $0 | UInt32($1.0) }
    if table.facts & ~known != 0 {
      throw reader.invalid("its facts have unknown flags: 0x\(String(table.facts & ~known, radix: 16))")
    }
    if table.reserved != 0 { throw reader.invalid("the reserved field of the table is not 0") }
    return bits.filter { table.facts & UInt32($0.0) != 0 }.map(\.1)
  }

  /// θ and the new θ, and the state, which is read and written.
  private static func elements(_ slots: Int) -> Formula {
    Formula(integerLiteral: 3 + 2 * slots) * .P
  }
}
