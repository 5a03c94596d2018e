import FisherPluginABI
import FisherRuntime

// The lists of a table: hyper-parameters, probes, costs.
extension ForeignReader {
  func hyperparameters(_ table: fisher_optimizer) throws(PluginError) -> [Hyperparameter] {
    var hyperparameters: [Hyperparameter] = []
    for i in 0..<(try count(table.hyperparameter_count, "hyper-parameters")) {
      let entry = try required(table.hyperparameters, "hyperparameters")[i]
      hyperparameters.append(
        try hyperparameter(entry, try name(entry.name, "name for hyper-parameter \(i)"), table.version))
    }
    try requireDistinct(hyperparameters.map(\.name), "hyper-parameters")
    _ = try required(hyperparameters.first { $0.name == "lr" }, "hyper-parameter lr")
    return hyperparameters
  }

  private func hyperparameter(
    _ entry: fisher_hyperparameter, _ name: String, _ version: UInt32
  ) throws(PluginError) -> Hyperparameter {
    let range: SettingRange
    switch Int(entry.range) {
    case FISHER_POSITIVE: range = .positive
    case FISHER_NON_NEGATIVE: range = .nonNegative
    case FISHER_HALF_OPEN where entry.low < entry.high: range = .halfOpen(entry.low, entry.high)
    case FISHER_CLOSED where entry.low <= entry.high: range = .closed(entry.low, entry.high)
    case FISHER_HALF_OPEN, FISHER_CLOSED:
      throw invalid(
        "the range of \(name) from \(shortest(entry.low)) to \(shortest(entry.high)) is empty")
    case FISHER_COUNT where version > 1:
      guard let low = Int(exactly: entry.low), abs(low) <= NumberText.most else {
        throw invalid("the least value of \(name) is \(shortest(entry.low)); it must be a whole number")
      }
      range = .atLeast(low)
    case FISHER_FLAG where version > 1: range = .flag
    default: throw .incomplete(path: path, optimizer: optimizer, missing: "known range for \(name)")
    }
    guard let value = value(entry.value, in: range) else {
      throw invalid("the default of \(name) is \(shortest(entry.value)); it must be \(range)")
    }
    if entry.reserved != 0 { throw invalid("the reserved field of \(name) is not 0") }
    return Hyperparameter(
      name, try text(entry.meaning, "meaning of \(name)"), value, range,
      source: try text(entry.source, "source of \(name)"))
  }

  /// The number as a hyper-parameter of this range; nil if it lies outside.
  private func value(_ number: Double, in range: SettingRange) -> SettingValue? {
    switch range {
    case .atLeast: return Int(exactly: number).flatMap { range.admit(.integer($0)) }
    case .flag: return number == 0 ? .flag(false) : number == 1 ? .flag(true) : nil
    default: return range.admit(.number(number))
    }
  }

  func probes(
    _ table: fisher_optimizer, _ hyperparameters: [Hyperparameter]
  ) throws(PluginError) -> [[String: SettingValue]] {
    var probes: [[String: SettingValue]] = []
    for i in 0..<(try count(table.probe_count, "probes")) {
      let numbers = try required(table.probes, "probes") + i * hyperparameters.count
      var probe: [String: SettingValue] = [:]
      for (k, parameter) in hyperparameters.enumerated() {
        guard let value = value(numbers[k], in: parameter.range) else {
          throw invalid(
            "probe \(i) sets \(parameter.name) to \(shortest(numbers[k])); it must be \(parameter.range)")
        }
        probe[parameter.name] = value
      }
      probes.append(probe)
    }
    return probes
  }

  /// What a step costs; without formulas, what values and slots of the parameters' shapes take.
  func cost(
    _ table: fisher_optimizer, _ hyperparameters: [Hyperparameter], slots: Int
  ) throws(PluginError) -> Cost {
    let note = "flops inside of the plugin are not counted"
    if table.cost_count == 0 {
      return Cost(
        [Cost.Part(.parameter, flops: 0, elements: Formula(integerLiteral: 3 + 2 * slots) * .P)], note: note)
    }
    let periods = Set(
      hyperparameters.compactMap { parameter -> String? in
        if case .integer = parameter.value { parameter.name } else { nil }
      })
    var parts: [Cost.Part] = []
    for i in 0..<(try count(table.cost_count, "costs")) {
      let entry = try required(table.costs, "costs")[i]
      guard Self.scopes.indices.contains(Int(entry.scope)), entry.reserved == 0 else {
        throw invalid("the scope of cost \(i) is \(entry.scope)")
      }
      func formula(_ pointer: UnsafePointer<CChar>?, _ what: String) throws(PluginError) -> Formula {
        let text = try text(pointer, "\(what) of cost \(i)")
        guard let formula = Formula(text, periods: periods) else {
          throw invalid("the \(what) of cost \(i) are \(quoted(text)), which is no formula")
        }
        return formula
      }
      parts.append(
        Cost.Part(
          Self.scopes[Int(entry.scope)], flops: try formula(entry.flops, "flops"),
          elements: try formula(entry.elements, "elements")))
    }
    return Cost(parts, note: note)
  }

  private static let scopes: [Cost.Scope] = [.parameter, .dense, .convolution, .matrix, .vector, .step]

  func stateSize(_ table: fisher_optimizer, slots: Int) throws(PluginError) -> String {
    if table.state_size != nil { return try text(table.state_size, "state_size") }
    return slots == 0 ? "nothing" : "\(slots)·P"
  }
}
