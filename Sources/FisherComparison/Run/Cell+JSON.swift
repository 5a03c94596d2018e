import FisherKit
import Foundation

// A line for each run. Losses and accuracies are hexadecimal: what is read is what was written, to the bit.

extension Cell {
  package func json(_ outcome: Outcome) -> JSON {
    .object([
      ("event", .string("cell")), ("cell", .string(key)), ("workload", .string(workload)),
      ("method", .string(method)),
      ("settings", .object(settings.sorted { $0.key < $1.key }.map { ($0.key, .string($0.value)) })),
      ("seed", .int(seed)), ("steps", .array(outcome.curve.steps.map(JSON.int))),
      ("losses", .array(outcome.curve.losses.map { .string(Self.hexadecimal($0)) })),
      ("accuracies", .array(outcome.curve.accuracies.map { .string(Self.hexadecimal($0)) })),
      ("stopped", outcome.stopped.map(JSON.string) ?? .null), ("weights", .string(outcome.weights)),
      ("seconds", .number(outcome.seconds)),
    ])
  }

  /// The cell and the outcome that a line records; nil if it records none.
  package static func parse(_ line: JSON) -> (cell: Cell, outcome: Outcome)? {
    guard line["event"]?.string == "cell", let workload = line["workload"]?.string,
      let method = line["method"]?.string, let settings = line["settings"]?.members,
      let seed = line["seed"]?.int, seed >= 0, let steps = line["steps"]?.elements?.map(\.int),
      let losses = numbers(line["losses"]), let accuracies = numbers(line["accuracies"]),
      steps.count == losses.count, accuracies.isEmpty || accuracies.count == losses.count,
      let weights = line["weights"]?.string, let seconds = line["seconds"]?.double
    else { return nil }
    var outcome = Outcome()
    for (i, step) in steps.enumerated() {
      guard let step else { return nil }
      outcome.curve.append(
        step: step, loss: losses[i], accuracy: accuracies.isEmpty ? nil : accuracies[i])
    }
    outcome.stopped = line["stopped"]?.string
    outcome.weights = weights
    outcome.seconds = seconds
    var texts: [String: String] = [:]
    for (name, value) in settings { texts[name] = value.string }
    let cell = Cell(workload: workload, method: method, settings: texts, seed: seed)
    return texts.count == settings.count && cell.key == line["cell"]?.string ? (cell, outcome) : nil
  }

  private static func numbers(_ value: JSON?) -> [Double]? {
    guard let texts = value?.elements else { return nil }
    let numbers = texts.compactMap { $0.string.flatMap { Double($0) } }
    return numbers.count == texts.count ? numbers : nil
  }

  /// `0x1.8p+1`, `inf`, `nan`.
  static func hexadecimal(_ x: Double) -> String { x.isNaN ? "nan" : String(format: "%a", x) }
}

extension JSON {
  /// A whole number; nil for anything else.
  var int: Int? { if case .int(let value) = self { value } else { nil } }

  /// The elements of an array; nil for anything else.
  var elements: [JSON]? { if case .array(let values) = self { values } else { nil } }
}
