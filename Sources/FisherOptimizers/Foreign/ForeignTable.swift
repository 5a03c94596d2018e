import FisherPluginABI

/// What a plugin says of an optimizer, checked and copied.
struct ForeignTable: Sendable {
  let record: OptimizerRecord
  let slots: [String]
  let updateFloat: fisher_update_f32
  let updateDouble: fisher_update_f64
  let reference: fisher_update_f64

  /// - Throws: ``PluginError``.
  init(_ table: fisher_optimizer, from path: String) throws(PluginError) {
    guard table.magic == FISHER_PLUGIN_MAGIC else { throw .foreign(path: path) }
    guard table.version == FISHER_PLUGIN_VERSION else { throw .version(path: path, got: table.version) }
    guard table.size == MemoryLayout<fisher_optimizer>.size else {
      throw .size(path: path, got: table.size)
    }
    let name = table.name.map { String(cString: $0) } ?? ""
    func required<T>(_ value: T?, _ what: String) throws(PluginError) -> T {
      guard let value else { throw .incomplete(path: path, optimizer: name, missing: what) }
      return value
    }
    func text(_ pointer: UnsafePointer<CChar>?, _ what: String) throws(PluginError) -> String {
      String(cString: try required(pointer, what))
    }
    updateFloat = try required(table.update_f32, "update_f32")
    updateDouble = try required(table.update_f64, "update_f64")
    reference = try required(table.reference, "reference")
    var slots: [String] = []
    for i in 0..<Int(table.slot_count) {
      slots.append(try text(try required(table.slots, "slots")[i], "name for slot \(i)"))
    }
    self.slots = slots
    var hyperparameters: [Hyperparameter] = []
    for i in 0..<Int(table.hyperparameter_count) {
      let entry = try required(table.hyperparameters, "hyperparameters")[i]
      let label = try text(entry.name, "name for hyper-parameter \(i)")
      hyperparameters.append(
        Hyperparameter(
          label, try text(entry.meaning, "meaning of \(label)"), .number(entry.value),
          try required(Self.range(entry), "known range for \(label)"),
          source: try text(entry.source, "source of \(label)")))
    }
    guard hyperparameters.contains(where: { $0.name == "lr" }) else {
      throw .incomplete(path: path, optimizer: name, missing: "hyper-parameter lr")
    }
    record = OptimizerRecord(
      name: try text(table.name, "name"), title: try text(table.title, "title"),
      summary: try text(table.summary, "summary"), paper: try text(table.paper, "paper"),
      hyperparameters: hyperparameters, invariances: Self.invariances(table.facts),
      cost: Cost(
        [Cost.Part(.parameter, flops: 0, elements: Self.elements(slots.count))],
        note: "flops inside of the plugin are not counted"),
      stateSize: slots.isEmpty ? "nothing" : "\(slots.count)·P",
      dependsOnStepNumber: table.facts & UInt32(FISHER_DEPENDS_ON_STEP) != 0)
  }

  /// θ and the new θ, and the state, which is read and written.
  private static func elements(_ slots: Int) -> Formula {
    Formula(integerLiteral: 3 + 2 * slots) * .P
  }

  private static func range(_ entry: fisher_hyperparameter) -> SettingRange? {
    switch Int(entry.range) {
    case FISHER_POSITIVE: return .positive
    case FISHER_NON_NEGATIVE: return .nonNegative
    case FISHER_HALF_OPEN: return .halfOpen(entry.low, entry.high)
    case FISHER_CLOSED: return .closed(entry.low, entry.high)
    default: return nil
    }
  }

  private static func invariances(_ facts: UInt32) -> [Invariance] {
    let bits: [(Int, Invariance)] = [
      (FISHER_LOSS_SCALE, .lossScale), (FISHER_ELEMENT_PERMUTATION, .elementPermutation),
      (FISHER_UNIT_PERMUTATION, .unitPermutation), (FISHER_SIGN, .sign), (FISHER_ROTATION, .rotation),
    ]
    return bits.filter { facts & UInt32($0.0) != 0 }.map(\.1)
  }
}
