import FisherCommandLine
import FisherKit
import FisherRuntime

/// A group of parameters as `--group` spells it: `*.bias:weightDecay=0`, `0.*:optimizer=lion,lr=1e-4`, `0.*:frozen`.
struct GroupText: Sendable, Equatable {
  let text: String
  private let pattern: NamePattern
  private let isFrozen: Bool
  private let optimizer: String?
  private let settings: [String: String]

  init(_ text: String) throws(UsageError) {
    self.text = text
    let parts = text.split(separator: ":", maxSplits: 1).map(String.init)
    guard parts.count == 2 else {
      throw UsageError(
        "--group: \(quoted(text)) is none of PATTERN:name=value,…, PATTERN:optimizer=NAME,…, PATTERN:frozen")
    }
    pattern = NamePattern(parts[0])
    isFrozen = parts[1] == "frozen"
    var settings: [String: String] = [:]
    if !isFrozen {
      do { settings = try Arguments.assignments(parts[1].split(separator: ",").map(String.init)) } catch {
        throw UsageError("--group: \(error)")
      }
    }
    optimizer = settings.removeValue(forKey: "optimizer")
    self.settings = settings
  }

  /// The group, whose settings are those of its own optimizer or of the run's.
  func group(_ registry: OptimizerRegistry, for run: any Optimizer) throws -> ParameterGroup {
    if isFrozen { return ParameterGroup(pattern, isFrozen: true) }
    if let optimizer {
      let (type, texts) = try registry.composition(optimizer)
      let own = type.init(settings: try Settings(type.record, parsing: texts.merging(settings) { $1 }))
      return ParameterGroup(pattern, optimizer: own)
    }
    return ParameterGroup(pattern, settings: try Settings(type(of: run).record, parsing: settings).given)
  }

  /// A pattern that fits nothing is a slip.
  func requireFit(_ parameters: [ParameterInfo]) throws(UsageError) {
    if parameters.contains(where: { pattern.matches($0.name) }) { return }
    throw UsageError(
      "--group: \(quoted(pattern.text)) fits none of " + parameters.map(\.name).joined(separator: ", "))
  }
}
