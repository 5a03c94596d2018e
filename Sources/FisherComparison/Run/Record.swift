import FisherCommandLine
import FisherKit
import FisherRuntime

/// All that a comparison has found so far: the lines of its file.
package struct Record: Sendable {
  /// In the order in which they were finished.
  package private(set) var cells: [Cell] = []
  private var outcomes: [Cell: Outcome] = [:]
  /// The definitions of the workloads at the time.
  package private(set) var definitions: [String: String] = [:]
  /// The last measurement of each workload and method.
  package private(set) var phases: [PhaseKey: Phases] = [:]
  /// γ of each workload and method, placebos too.
  package private(set) var closeness: [PhaseKey: Closeness] = [:]
  /// Where it ran, each machine once.
  package private(set) var machines: [String] = []

  package init() {}

  package subscript(_ cell: Cell) -> Outcome? { outcomes[cell] }

  /// What all runs together took by the clock.
  package var seconds: Double { outcomes.values.reduce(0) { $0 + $1.seconds } }

  package mutating func add(_ cell: Cell, _ outcome: Outcome) {
    if outcomes.updateValue(outcome, forKey: cell) == nil { cells.append(cell) }
  }

  package mutating func add(_ phases: Phases, for key: PhaseKey) { self.phases[key] = phases }

  package mutating func add(_ closeness: Closeness, for key: PhaseKey) { self.closeness[key] = closeness }

  /// Takes in a line.
  ///
  /// - Returns: false if it is none that a comparison writes.
  mutating func add(_ line: JSON) -> Bool {
    switch line["event"]?.string {
    case "comparison":
      guard let machine = line["machine"]?.string else { return false }
      if !machines.contains(machine) { machines.append(machine) }
    case "workload":
      guard let name = line["name"]?.string, let text = line["definition"]?.string else { return false }
      definitions[name] = text
    case "cell":
      guard let (cell, outcome) = Cell.parse(line) else { return false }
      add(cell, outcome)
    case "phases":
      guard let (key, phases) = Phases.parse(line) else { return false }
      add(phases, for: key)
    case "closeness":
      guard let (key, closeness) = Closeness.parse(line) else { return false }
      add(closeness, for: key)
    default: return false
    }
    return true
  }

  /// A workload of another definition has other runs.
  ///
  /// - Throws: ``UsageError``.
  package func requireSame(_ workload: Workload) throws(UsageError) {
    guard let definition = definitions[workload.name], definition != workload.definition else { return }
    throw UsageError(
      "the report holds runs of \(workload.name) as it was: \(definition); it is now: \(workload.definition)")
  }
}
