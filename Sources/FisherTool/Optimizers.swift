import FisherCommandLine
import FisherKit

/// `fisher optimizers`: what there is, and what each of them is.
enum Optimizers {
  static let help = """
    usage: fisher optimizers [NAME] [--plugin PATH] [--json PATH]

    Lists the optimizers, and the parts that go around them, or describes one: paper, what it needs, hyper-parameters with
    default, range and source, cost. NAME may have parts around it: 'adam + caution'.

      --plugin   a shared library whose optimizers are listed, too
      --json     one JSON object a line to a file, or - for standard output

    example: fisher optimizers adafisher
    """

  /// - Returns: the exit status.
  static func run(_ words: [String]) throws(UsageError) -> Int32 {
    let arguments = try Arguments(words, options: ["json", "plugin"])
    if arguments.positional.count > 1 { throw UsageError("optimizers takes one name") }
    let records: [OptimizerRecord]
    let parts: [PartRecord]
    do {
      let registry = try OptimizerRegistry.installed(plugin: arguments.value("plugin"))
      parts = registry.partRecords
      records = try arguments.positional.first.map { [try registry.type($0).record] } ?? registry.records
    } catch {
      throw UsageError("\(error)")
    }
    let json = try arguments.jsonLines()
    for record in records { json?.write(record.json) }
    if arguments.isQuiet { return 0 }
    if arguments.positional.isEmpty {
      for line in listing(records.map { ($0.name, $0.summary) }) { print(line) }
      print("\nparts, to go around one: 'adam + caution + trust-ratio(min=0.1)'")
      for line in listing(parts.map { ($0.name, $0.summary) }) { print(line) }
    } else {
      for record in records { describe(record) }
    }
    return 0
  }

  private static func describe(_ record: OptimizerRecord) {
    print("\(record.title): \(record.summary)\n")
    func line(_ name: String, _ value: String) { print(column(name, 14, left: true) + value) }
    line("paper", record.paper)
    line("needs", record.needs.description)
    line("cost", record.cost.description)
    line("state", record.stateSize)
    if !record.sharedSlots.isEmpty {
      line(
        "shared out", "with ranks, one of them computes each of " + record.sharedSlots.joined(separator: ", ")
      )
    }
    if case .norm(let limit) = record.clipping { line("clipped", "gradients to the norm \(limit)") }
    line("invariances", record.invariances.map(\.rawValue).joined(separator: ", "))
    for promise in Promise.allCases {
      guard let settings = record.promises[promise] else { continue }
      let when = settings.sorted { $0.key < $1.key }.map { "\($0)=\($1)" }.joined(separator: " ")
      line("exactly", promise.rawValue + (when.isEmpty ? "" : ", with \(when)"))
    }
    if record.roles.count < ParameterRole.allCases.count {
      line(
        "treats", record.roles.map(\.rawValue).sorted().joined(separator: ", ") + "; else \(record.fallback)")
    }
    print("\nhyper-parameters")
    for parameter in record.hyperparameters {
      print(
        "  " + column(parameter.name, 18, left: true) + column("\(parameter.value)", 10, left: true)
          + "\(parameter.meaning); \(parameter.range); \(parameter.source)")
    }
    print(
      "\nexample: fisher train --optimizer \(record.name.contains(" ") ? "'\(record.name)'" : record.name) --set \(record.hyperparameters[0].name)=\(record.hyperparameters[0].value)"
    )
  }
}

extension OptimizerRecord {
  var json: JSON {
    .object([
      ("name", .string(name)), ("title", .string(title)), ("summary", .string(summary)),
      ("paper", .string(paper)),
      ("needs", .string(needs.description)),
      (
        "hyperparameters",
        .array(
          hyperparameters.map { parameter in
            .object([
              ("name", .string(parameter.name)), ("meaning", .string(parameter.meaning)),
              ("default", parameter.value.json), ("range", .string(parameter.range.description)),
              ("source", .string(parameter.source)),
            ])
          })
      ), ("cost", .string(cost.description)), ("stateSize", .string(stateSize)),
      ("invariances", .array(invariances.map { .string($0.rawValue) })),
      ("promises", .array(Promise.allCases.filter { promises[$0] != nil }.map { .string($0.rawValue) })),
      ("roles", .array(roles.map(\.rawValue).sorted().map(JSON.string))), ("fallback", .string(fallback)),
    ])
  }
}
