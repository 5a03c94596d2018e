import FisherCommandLine
import FisherKit
import FisherRuntime

/// A comparison at work: what is missing in its file is run, one after the other, and written down.
package struct Comparison {
  package let options: ComparisonOptions
  package let file: RecordFile
  /// Is asked now and then; what it throws ends the comparison between two lines of its file.
  private let check: () throws -> Void
  /// Gets a line whenever there is something to say.
  private let say: (String) -> Void
  private let clock = ContinuousClock()
  private let start: ContinuousClock.Instant

  /// The time is up.
  private struct OutOfTime: Error {}

  package init(
    _ options: ComparisonOptions, _ file: RecordFile, check: @escaping () throws -> Void,
    say: @escaping (String) -> Void
  ) {
    self.options = options
    self.file = file
    self.check = check
    self.say = say
    start = clock.now
  }

  /// Goes on to the end, or to the end of the time.
  ///
  /// - Returns: the runs that are still missing.
  /// - Throws: what `check` throws, and `UsageError` if the file cannot be written or holds other workloads.
  package func run() throws -> Int {
    try begin()
    do {
      for workload in options.workloads { try measure(workload) }
      for workload in options.workloads { try run(options.tuning(workload)) }
      for workload in options.workloads { try look(workload) }
      for workload in options.workloads { try run(finals(workload)) }
    } catch is OutOfTime { say("the time is up") }
    return missing.count
  }

  /// What is to be run, as far as it is known: while settings are tried, those of the last runs are not.
  package var missing: [Cell] {
    let cells = options.workloads.flatMap { workload in options.tuning(workload) + finals(workload) }
    return unique(cells).filter { file.record[$0] == nil }
  }

  /// The runs of the chosen settings, seed by seed; of a method whose settings have not been tried those of its defaults
  /// stand for them.
  private func finals(_ workload: Workload) -> [Cell] {
    let chosen = options.methods.map { method in
      (method, file.record.chosen(options.settings(of: method), workload, method) ?? [:])
    }
    return (1...options.seeds).flatMap { seed in
      chosen.map { Cell(workload: workload.name, method: $0.name, settings: $1, seed: seed) }
    }
  }

  private func begin() throws {
    let machine =
      "\(CPU.name), \(InstructionSet.best.rawValue), \(options.threads) thread\(options.threads == 1 ? "" : "s")"
    try file.append(
      .object([
        ("event", .string("comparison")), ("version", .string(packageVersion)), ("machine", .string(machine)),
      ]))
    for workload in options.workloads {
      try file.record.requireSame(workload)
      if file.record.definitions[workload.name] != nil { continue }
      try file.append(
        .object([
          ("event", .string("workload")), ("name", .string(workload.name)),
          ("definition", .string(workload.definition)),
        ]))
    }
  }

  private func run(_ cells: [Cell]) throws {
    for cell in unique(cells) where file.record[cell] == nil {
      try requireTime()
      let outcome = try cell.run(threads: options.threads, check: check)
      try file.append(cell.json(outcome))
      report(cell, outcome)
    }
  }

  /// Methods of which no measurement is there, in turn.
  private func measure(_ workload: Workload) throws {
    let methods = options.methods.filter {
      !$0.isPlacebo && file.record.phases[PhaseKey(workload: workload.name, method: $0.name)] == nil
    }
    if methods.isEmpty { return }
    try requireTime()
    say("\(workload.name): measuring the steps of \(methods.count) methods")
    let found = try Measurement.phases(of: methods, workload, threads: options.threads)
    for (method, phases) in zip(methods, found) {
      guard let phases else { continue }
      let key = PhaseKey(workload: workload.name, method: method.name)
      try file.append(phases.json(key, threads: options.threads))
    }
  }

  /// How close the directions of the chosen settings are to the natural gradient, of methods of which that is not known.
  private func look(_ workload: Workload) throws {
    func key(_ method: Method) -> PhaseKey { PhaseKey(workload: workload.name, method: method.name) }
    let methods = options.methods.filter { file.record.closeness[key($0)] == nil }
    if methods.isEmpty { return }
    try requireTime()
    say("\(workload.name): comparing the directions of \(methods.count) methods with the natural gradient's")
    func chosen(_ method: Method) -> [String: String] {
      file.record.chosen(options.settings(of: method), workload, method) ?? [:]
    }
    let place = chosen(try Method(ComparisonOptions.baseline))
    let found = try workload.closeness(
      of: methods.map { ($0, chosen($0)) }, at: place, threads: options.threads, check: check)
    for (method, closeness) in zip(methods, found) {
      guard let closeness else { continue }
      try file.append(closeness.json(key(method)))
    }
  }

  private func requireTime() throws {
    try check()
    if let budget = options.budget, Double(clock.now - start) >= budget { throw OutOfTime() }
  }

  private func report(_ cell: Cell, _ outcome: Outcome) {
    let left = missing
    let target = (try? Workload.named(cell.workload).target) ?? 0
    let steps = outcome.curve.steps(to: target)
    let verdict =
      outcome.stopped
      ?? (steps.isFinite ? "target after \(Int(steps)) steps" : "least loss \(Float(outcome.curve.least))")
    say("\(cell.key): \(verdict); \(left.count) runs left, \(TimeLeft(file.record, left).text)")
  }

  /// Two methods may have a run in common only if they are one.
  private func unique(_ cells: [Cell]) -> [Cell] {
    var known = Set<Cell>()
    return cells.filter { known.insert($0).inserted }
  }
}
