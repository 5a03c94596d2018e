import FisherCommandLine
import FisherComparison
import FisherKit
import FisherRuntime
import Foundation
import Testing

/// A folder of its own, removed at the end.
final class Scratch {
  let path = NSTemporaryDirectory() + "fisher-" + UUID().uuidString

  deinit { try? FileManager.default.removeItem(atPath: path) }

  var runs: String { path + "/" + RecordFile.name }

  func text() throws -> String { try String(contentsOfFile: runs, encoding: .utf8) }
}

@Suite struct RunTests {
  static let cell = Cell(
    workload: "spectrum-1e2", method: "adamw", settings: ["lr": "0.01", "weightDecay": "0"], seed: 2)

  /// Two methods on the fastest workload.
  static func options() throws -> ComparisonOptions {
    var options = ComparisonOptions(
      workloads: [try Workload.named("spectrum-1e2")], methods: try ["adamw", "sgd"].map { try Method($0) })
    (options.seeds, options.trials, options.threads) = (3, 2, 1)
    return options
  }

  @Test func linesKeepEveryBit() throws {
    var outcome = Outcome()
    let losses = [
      0.1, 1 / 3, .leastNonzeroMagnitude, .greatestFiniteMagnitude, .infinity, -.infinity, .nan, -0.0,
    ]
    for (i, loss) in losses.enumerated() { outcome.curve.append(step: i, loss: loss, accuracy: loss / 7) }
    outcome.stopped = "step 7: \"why\""
    outcome.weights = "abc"
    let (cell, read) = try #require(Cell.parse(try JSON(parsing: Self.cell.json(outcome).text)))
    #expect(cell == Self.cell && read.stopped == outcome.stopped && read.weights == "abc")
    #expect(
      zip(read.curve.losses, losses).allSatisfy { $0.bitPattern == $1.bitPattern || $0.isNaN && $1.isNaN })
    #expect(read.curve.steps == outcome.curve.steps && read.curve.accuracies.count == losses.count)
    #expect(cell.key == "spectrum-1e2/adamw/lr=0.01,weightDecay=0/2")
  }

  @Test func runsHaveTheSameBitsForAnyThreads() throws {
    let one = try Self.cell.run(threads: 1)
    #expect(one.hasSameBits(as: try Self.cell.run(threads: 2)))
    let workload = try Workload.named(Self.cell.workload)
    #expect(one.curve.steps == Array(stride(from: 0, through: workload.budget, by: workload.interval)))
    let other = Cell(workload: Self.cell.workload, method: "adamw", settings: ["lr": "0.010000001"], seed: 2)
    #expect(!one.hasSameBits(as: try other.run(threads: 1)))
    // With seed 0 a run ends at its target.
    let trial = Cell(workload: Self.cell.workload, method: "adamw", settings: ["lr": "0.01"], seed: 0)
    let steps = try trial.run(threads: 1).curve.steps
    #expect(steps.count < one.curve.steps.count)
  }

  /// Of a network that a method cannot train there is an outcome without a step, and a page that says why.
  @Test func aNetworkThatCannotBeTrainedIsAnOutcome() throws {
    let cell = Cell(workload: "recall", method: "adahessian", settings: [:], seed: 0)
    let outcome = try cell.run(threads: 1)
    #expect(outcome.curve.losses.isEmpty && outcome.curve.steps(to: 1) == .infinity)
    #expect(outcome.stopped?.contains("has no second derivatives") == true)
    let scratch = Scratch()
    let file = try RecordFile(folder: scratch.path)
    for seed in 0...2 {
      try file.append(Cell(workload: "recall", method: "adahessian", settings: [:], seed: seed).json(outcome))
    }
    var options = ComparisonOptions(
      workloads: [try Workload.named("recall")], methods: try ["adamw", "adahessian"].map { try Method($0) })
    (options.seeds, options.trials) = (2, 0)
    #expect(Report(file.record, options).html.contains("has no second derivatives"))
  }

  /// What a step refuses is an outcome.
  @Test func refusalsAreOutcomes() throws {
    let outcome = try Cell(workload: "curves", method: "ngd", settings: [:], seed: 1).run(threads: 1)
    #expect(outcome.stopped?.contains("step 1: ") == true && outcome.curve.steps == [0])
    let wild = try Cell(workload: "spectrum-1e2", method: "sgd", settings: ["lr": "1e9"], seed: 1).run(
      threads: 1)
    #expect(wild.stopped != nil && wild.curve.steps.count < 10)
  }

  @Test func theFewestStepsAreChosen() throws {
    let workload = try Workload.named("spectrum-1e2")
    func outcome(_ steps: Int?, least: Double, stopped: String? = nil) -> Outcome {
      var outcome = Outcome()
      outcome.curve.append(step: 0, loss: 9, accuracy: nil)
      outcome.curve.append(step: steps ?? 600, loss: least, accuracy: nil)
      outcome.stopped = stopped
      return outcome
    }
    var record = Record()
    func add(_ lr: String, _ outcome: Outcome) {
      record.add(Cell(workload: workload.name, method: "sgd", settings: ["lr": lr], seed: 0), outcome)
    }
    let settings = ["1", "2", "3", "4"].map { ["lr": $0] }
    let sgd = try Method("sgd")
    #expect(record.chosen(settings, workload, sgd) == nil)
    add("1", outcome(nil, least: 1))
    add("2", outcome(nil, least: 0.5, stopped: "step 9: no"))
    #expect(record.chosen(settings, workload, sgd) == ["lr": "1"])
    add("3", outcome(200, least: workload.target))
    #expect(record.chosen(settings, workload, sgd) == ["lr": "3"])
    add("4", outcome(200, least: workload.target / 2))
    #expect(record.chosen(settings, workload, sgd) == ["lr": "4"])
  }

  private struct Stop: Error {}

  /// Interrupted again and again, a comparison comes to the same runs as in one piece, and takes none of them twice.
  @Test func interruptionsLoseNothing() throws {
    let (whole, pieces) = (Scratch(), Scratch())
    let options = try Self.options()
    let first = try RecordFile(folder: whole.path)
    #expect(try Comparison(options, first, check: {}, say: { _ in }).run() == 0)
    var pieceCount = 0
    while true {
      pieceCount += 1
      var asked = 0
      let file = try RecordFile(folder: pieces.path)
      let comparison = Comparison(
        options, file,
        check: {
          asked += 1
          if asked > 150 { throw Stop() }
        }, say: { _ in })
      do {
        if try comparison.run() == 0 { break }
      } catch is Stop {}
      // A killed process leaves part of a line.
      let handle = try #require(FileHandle(forWritingAtPath: pieces.runs))
      handle.seekToEndOfFile()
      handle.write(Data("{\"event\":\"cell\",\"cell\":\"spec".utf8))
    }
    #expect(pieceCount > 2)
    func cells(_ scratch: Scratch) throws -> [String: Outcome] {
      let record = try RecordFile.read(scratch.runs).record
      #expect(
        try scratch.text().split(separator: "\n").count { $0.contains("\"event\":\"cell\"") }
          == record.cells.count)
      // Directions are looked at once.
      #expect(try scratch.text().split(separator: "\n").count { $0.contains("\"event\":\"closeness\"") } == 2)
      #expect(record.closeness.count == 2)
      return Dictionary(uniqueKeysWithValues: record.cells.map { ($0.key, record[$0]!) })
    }
    let (a, b) = (try cells(whole), try cells(pieces))
    // Two methods, three settings and three seeds.
    #expect(a.count == 2 * (3 + 3) && Set(a.keys) == Set(b.keys))
    for (key, outcome) in a { #expect(outcome.hasSameBits(as: b[key]!), "\(key)") }
  }

  @Test func theBudgetEndsARun() throws {
    let scratch = Scratch()
    var options = try Self.options()
    options.budget = 1e-9
    let file = try RecordFile(folder: scratch.path)
    #expect(try Comparison(options, file, check: {}, say: { _ in }).run() == 12)
    #expect(file.record.cells.isEmpty)
  }

  /// A file that is none, a workload that has changed, and two at once.
  @Test func wrongFilesAreRefused() throws {
    let scratch = Scratch()
    let file = try RecordFile(folder: scratch.path)
    #expect(throws: UsageError.self) { try RecordFile(folder: scratch.path) }
    try file.append(
      .object([
        ("event", .string("workload")), ("name", .string("spectrum-1e2")), ("definition", .string("old")),
      ]))
    #expect(throws: UsageError.self) {
      try Comparison(try Self.options(), file, check: {}, say: { _ in }).run()
    }
    let other = Scratch()
    try FileManager.default.createDirectory(atPath: other.path, withIntermediateDirectories: true)
    for text in ["no JSON\n", "{\"event\":\"start\"}\n", "{\"event\":\"cell\",\"cell\":\"x\"}\n"] {
      try text.write(toFile: other.runs, atomically: true, encoding: .utf8)
      #expect(throws: UsageError.self, "\(text)") { try RecordFile(folder: other.path) }
      #expect(try other.text() == text, "what is refused is left alone")
    }
  }

  /// A loss that differs in its last bit, another setting, other weights: each is seen. What was run holds.
  @Test func checksSeeEveryChange() throws {
    let outcome = try Self.cell.run(threads: 1)
    func verdict(_ cell: Cell, _ outcome: Outcome) throws -> Recheck.Verdict {
      var record = Record()
      record.add(cell, outcome)
      return try Recheck.verdict(cell, record, threads: 1) {}
    }
    #expect(try verdict(Self.cell, outcome).text == "holds    \(Self.cell.key)")
    for place in [0, outcome.curve.losses.count - 1] {
      var changed = outcome
      changed.curve = Curve()
      for (i, loss) in outcome.curve.losses.enumerated() {
        changed.curve.append(
          step: outcome.curve.steps[i], loss: i == place ? loss.nextUp : loss, accuracy: nil)
      }
      let verdict = try verdict(Self.cell, changed)
      #expect(verdict.difference?.contains("after step \(outcome.curve.steps[place]) ") == true)
    }
    var weights = outcome
    weights.weights = "0"
    #expect(try verdict(Self.cell, weights).difference == "other weights at the same losses")
    let other = Cell(
      workload: Self.cell.workload, method: "adamw", settings: ["lr": "0.02", "weightDecay": "0"], seed: 2)
    #expect(try verdict(other, outcome).difference?.contains("after step 10 ") == true)
    var record = Record()
    record.add(Self.cell, outcome)
    #expect(try Recheck.cells(record, containing: ["adamw", "/2"]) == [Self.cell])
    #expect(throws: UsageError.self) { try Recheck.cells(record, containing: ["adam/"]) }
    #expect(throws: UsageError.self) { try Recheck.cells(Record(), containing: []) }
  }
}
