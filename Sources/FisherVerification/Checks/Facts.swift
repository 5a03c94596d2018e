import FisherLinearAlgebra
import FisherOptimizers

extension Check {
  static let factsAreComplete = Check(
    name: "facts-are-complete", meaning: "the record names paper, cost, state, and a source for every default"
  ) { subject in
    let record = subject.record
    for (what, text) in [
      ("name", record.name), ("title", record.title), ("summary", record.summary), ("paper", record.paper),
      ("cost", record.cost.parts.isEmpty ? "" : record.cost.description), ("state size", record.stateSize),
    ] { try demand(!text.isEmpty, "the record has no \(what)") }
    try demand(record.name == record.name.lowercased(), "the name '\(record.name)' is not in lower case")
    for parameter in record.hyperparameters {
      try demand(
        !parameter.meaning.isEmpty && !parameter.source.isEmpty,
        "\(parameter.name) has no meaning or no source")
      // The default itself must lie in the range.
      _ = try subject.type.init([parameter.name: parameter.value])
    }
    try demand(record.hyperparameters.contains { $0.name == "lr" }, "there is no learning rate 'lr'")
    let names = record.hyperparameters.map(\.name)
    try demand(Set(names).count == names.count, "two hyper-parameters have one name in \(names)")
    return "\(names.count) hyper-parameters"
  }

  static let bounds = Check(
    name: "bounds", meaning: "hyper-parameters outside of their ranges, and unknown ones, are refused by name"
  ) { subject in
    var refused = 0
    for parameter in subject.record.hyperparameters {
      for value in outside(parameter.range) {
        try demandRefusal(subject, parameter.name, value)
        refused += 1
      }
    }
    try demandRefusal(subject, "no such hyper-parameter", .number(1))
    _ = try subject.type.init([:])
    return "\(refused) values refused"
  }

  private static func demandRefusal(_ subject: Subject, _ name: String, _ value: SettingValue) throws {
    do {
      _ = try subject.type.init([name: value])
    } catch {
      return try demand(
        error.description.contains(name), "the refusal of \(name) = \(value) does not name it: \(error)")
    }
    throw Failure("\(name) = \(value) is accepted")
  }

  /// Values that do not belong to a range: just outside, far outside, not numbers, of another type.
  private static func outside(_ range: SettingRange) -> [SettingValue] {
    let never: [SettingValue] = [.number(.nan), .number(.infinity), .choice("nonsense")]
    switch range {
    case .positive: return never + [.number(0), .number(-1)]
    case .nonNegative: return never + [.number(-.leastNonzeroMagnitude), .number(-1)]
    case .halfOpen(let a, let b): return never + [.number(a.nextDown), .number(b)]
    case .closed(let a, let b): return never + [.number(a.nextDown), .number(b.nextUp)]
    case .atLeast(let least): return never + [.integer(least - 1), .number(0.5)]
    case .flag: return never + [.integer(1)]
    case .choice: return never + [.flag(true)]
    }
  }
}
