import FisherCommandLine
import FisherKit
import FisherRuntime

/// What a run says: a table and a progress bar for people, JSON Lines for programs.
struct TrainingReport {
  let json: JSONLines?
  /// Standard output belongs to the JSON.
  let isQuiet: Bool

  private var isTerminal: Bool { isatty(STDOUT_FILENO) == 1 }

  private func say(_ line: String) {
    if isQuiet { return }
    // The bar's line is taken back first.
    print((isTerminal ? "\r\u{1B}[K" : "") + line)
    Console.flush()
  }

  func start<S: KernelScalar>(
    _ configuration: RunConfiguration, _ trainer: Trainer<S>, _ data: DataSplit, _ optimizer: any Optimizer,
    _ ranks: Ranks
  ) {
    let classes = data.train.classCount.map { ", \($0) classes" } ?? ""
    let settings = optimizer.settings.values.sorted { $0.key < $1.key }
    say(
      "data       \(data.train.name): \(data.train.count) + \(data.test.count) examples of \(data.train.shape)\(classes)"
    )
    for note in data.train.notes { say("           \(note)") }
    say(
      "model      \(configuration["model"]): \(trainer.network.parameterCount) parameters, \(configuration["type"])"
    )
    say(
      "optimizer  \(configuration["optimizer"]) "
        + settings.map { "\($0.key)=\($0.value)" }.joined(separator: " "))
    if !configuration["clip-norm"].isEmpty { say("           clip-norm \(configuration["clip-norm"])") }
    let doubled = type(of: optimizer).record.doubled(in: optimizer.settings)
    for line in doubled + trainer.log { say("           \(line)") }
    if let line = ranks.summary(overlaps: trainer.sumsBesidePasses, wanted: trainer.options.overlap) {
      say("ranks      \(line)")
    }
    if trainer.progress.epoch > 0 || trainer.progress.batch > 0 {
      say("resumed    after epoch \(trainer.progress.epoch), step \(trainer.progress.batch)")
    }
    let texts = RunConfiguration.options.map { ($0.name, JSON.string(configuration[$0.name])) }
    json?.write(
      .object(
        [("event", .string("start")), ("version", .string(packageVersion))] + texts + [
          ("set", .object(settings.map { ($0.key, $0.value.json) })),
          ("groups", .array(configuration.groups.map { .string($0.text) })),
          ("parameters", .int(trainer.network.parameterCount)), ("threads", .int(trainer.options.threads)),
          ("ranks", .int(ranks.communicator.size)), ("overlap", .bool(trainer.sumsBesidePasses)),
          ("instructionSet", .string(InstructionSet.best.rawValue)),
          ("notes", .array((data.train.notes + doubled).map(JSON.string))),
          ("trainExamples", .int(data.train.count)),
          ("testExamples", .int(data.test.count)),
        ]))
  }

  func show(_ event: TrainingEvent, _ epochs: Int) {
    switch event {
    case .step(let step, let total, let loss): bar(step, total, loss)
    case .epoch(let report):
      let accuracy = report.test.accuracy.map { "  accuracy \(fixed(100 * $0, 2)) %" } ?? ""
      say(
        "epoch \(column("\(report.epoch)", 3))/\(epochs)  train loss \(fixed(report.trainLoss, 4))  "
          + "test loss \(fixed(report.test.loss, 4))\(accuracy)  \(fixed(report.seconds, 2)) s")
      json?.write(
        .object([
          ("event", .string("epoch")), ("epoch", .int(report.epoch)), ("step", .int(report.step)),
          ("trainLoss", .number(report.trainLoss)), ("testLoss", .number(report.test.loss)),
          ("testAccuracy", report.test.accuracy.map(JSON.number) ?? .null),
          ("seconds", .number(report.seconds)),
        ]))
    }
  }

  /// The part of the epoch that is done; only on a terminal, and never wider than that: a line that scrolls could not be
  /// taken back.
  private func bar(_ step: Int, _ total: Int, _ loss: Double) {
    guard isTerminal, !isQuiet else { return }
    let text = "\(step)/\(total)  loss \(fixed(loss, 4))"
    let room = Terminal.columns - 1
    let width = min(30, room - text.count - 1)
    let full = max(0, width) * step / max(1, total)
    let bar =
      width < 3 ? "" : String(repeating: "█", count: full) + String(repeating: "·", count: width - full) + " "
    print("\r\u{1B}[K" + (bar + text).prefix(max(0, room)), terminator: "")
    Console.flush()
  }

  func end(_ result: TrainingResult) {
    let events = result.events.sorted { $0.key < $1.key }
    for (event, count) in events { say("counted    \(event): \(count)") }
    if result.stoppedEarly { say("stopped early: the test became no better") }
    if let accuracy = result.bestTestAccuracy {
      say("best test accuracy \(fixed(100 * accuracy, 2)) % in \(fixed(result.seconds, 2)) s of training")
    } else {
      say("best test loss \(fixed(result.bestTestLoss, 6)) in \(fixed(result.seconds, 2)) s of training")
    }
    json?.write(
      .object([
        ("event", .string("result")), ("bestTestAccuracy", result.bestTestAccuracy.map(JSON.number) ?? .null),
        ("bestTestLoss", .number(result.bestTestLoss)), ("finalTrainLoss", .number(result.finalTrainLoss)),
        ("seconds", .number(result.seconds)), ("parametersHash", .string(result.parametersHash)),
        ("stoppedEarly", .bool(result.stoppedEarly)),
        ("events", .object(events.map { ($0.key, .int($0.value)) })),
      ]))
  }

  /// - Parameter isTold: another rank has said it on standard error.
  func fail(_ message: String, isTold: Bool = false) {
    if isTerminal && !isQuiet {
      print("\r\u{1B}[K", terminator: "")
      // Before the message, which goes another way.
      Console.flush()
    }
    json?.write(.object([("event", .string("failure")), ("message", .string(message))]))
    if !isTold { Console.error(message) }
  }
}

extension SettingValue {
  var json: JSON {
    switch self {
    case .number(let value): .number(value)
    case .integer(let value): .int(value)
    case .flag(let value): .bool(value)
    case .choice(let value): .string(value)
    }
  }
}
