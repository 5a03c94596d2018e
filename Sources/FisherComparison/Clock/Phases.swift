import FisherKit
import FisherRuntime

/// What a measurement belongs to.
package struct PhaseKey: Hashable, Sendable {
  package let workload: String
  /// The optimizer; a placebo takes no measurement of its own.
  package let method: String

  package init(workload: String, method: String) {
    self.workload = workload
    self.method = method
  }

  /// Of a line that says what belongs to it; nil if it does not.
  init?(_ line: JSON) {
    guard let workload = line["workload"]?.string, let method = line["method"]?.string else { return nil }
    self.init(workload: workload, method: method)
  }

  /// A line about an event, with what was measured.
  func line(_ event: String, _ found: [(String, JSON)]) -> JSON {
    .object(
      [("event", .string(event)), ("workload", .string(workload)), ("method", .string(method))] + found)
  }
}

/// The seconds of a step, part by part, on average over a cycle of the method's periods.
package struct Phases: Sendable, Equatable {
  /// The pass forward.
  package var forward = 0.0
  /// The pass backward, for the gradients alone.
  package var backward = 0.0
  /// What curvature is made of: captures, labels drawn from the model, factors.
  package var statistics = 0.0
  /// What is made of curvature: inverses, roots, bases.
  package var inversion = 0.0
  /// All the rest: directions, weights and state.
  package var update = 0.0
  /// Of whole cycles, the median over the least: 1 on a machine of one's own.
  package var disturbance = 1.0

  package init() {}

  /// The seconds of a whole step.
  package var step: Double { forward + backward + statistics + inversion + update }

  /// The parts with their names, in the order of a step.
  package var parts: [(name: String, seconds: Double)] {
    [
      ("forward", forward), ("backward", backward), ("statistics", statistics), ("inversion", inversion),
      ("update", update),
    ]
  }

  package func json(_ key: PhaseKey, threads: Int) -> JSON {
    key.line(
      "phases",
      [("threads", .int(threads))] + parts.map { ($0.name, .number($0.seconds)) } + [
        ("disturbance", .number(disturbance))
      ])
  }

  static func parse(_ line: JSON) -> (PhaseKey, Phases)? {
    guard let key = PhaseKey(line) else { return nil }
    var phases = Phases()
    let fields: [(String, WritableKeyPath<Phases, Double>)] = [
      ("forward", \.forward), ("backward", \.backward), ("statistics", \.statistics),
      ("inversion", \.inversion), ("update", \.update), ("disturbance", \.disturbance),
    ]
    for (name, field) in fields {
      guard let value = line[name]?.double, value >= 0 else { return nil }
      phases[keyPath: field] = value
    }
    return (key, phases)
  }
}
