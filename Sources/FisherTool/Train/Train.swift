import FisherCommandLine
import FisherKit
import FisherRuntime

/// `fisher train`: the main job.
enum Train {
  static var help: String {
    let lines = RunConfiguration.options.map { option in
      let standard = option.standard.isEmpty ? "" : " (\(option.standard))"
      return "  --" + column(option.name, 12, left: true) + option.help + standard
    }
    return """
      usage: fisher train [OPTIONS]

      Trains a network and ends with its test accuracy. Without options: AdaFisher on 1797 handwritten digits.

      \(lines.joined(separator: "\n"))
        --set         name=value: a hyper-parameter; may be repeated
        --group       PATTERN:name=value,… for the parameters whose names fit, PATTERN:optimizer=NAME,…, or
                      PATTERN:frozen; may be repeated, the first that fits decides
        --checkpoint  folder for checkpoint.safetensors and weights.safetensors, written after every epoch
        --checkpoint-steps  write them after so many steps, too
        --resume      folder of a checkpoint: goes on with the same bits
        --report      a page with curves and a table of the run, one file, written after every epoch
        --threads     \(Threads.available) by default, shared out to the ranks; the bits do not depend on it
        --ranks       processes that train together, started here; or start them with mpirun
        --overlap     auto, on or off: ranks add up gradients and factors while they go on computing; auto does so
                      between machines if --threads leaves each rank a core for it; no bit depends on it
        --check-ranks  all ranks compare a hash of weights and state after every step
        --json        JSON Lines to a file, or - for standard output

      example: fisher train --optimizer adamw --set lr=3e-3 --epochs 10
      """
  }

  /// - Returns: the exit status.
  static func run(_ words: [String]) throws(UsageError) -> Int32 {
    let arguments = try Arguments(
      words,
      options: RunConfiguration.options.map(\.name) + [
        "set", "group", "checkpoint", "checkpoint-steps", "resume", "report", "threads", "json", "ranks",
        "overlap",
      ], flags: ["check-ranks"], hint: settingHint)
    if let extra = arguments.positional.first {
      throw UsageError("train takes no '\(extra)'; options begin with --")
    }
    let ranks: Ranks
    do { ranks = try Ranks(arguments, command: ["train"] + words) } catch {
      throw error as? UsageError ?? UsageError("\(error)")
    }
    return try ranks.run {
      let checkpoint = try arguments.value("resume").map { try Checkpoint(in: $0) }
      let configuration =
        try checkpoint.map { try RunConfiguration($0, arguments) } ?? RunConfiguration(arguments)
      switch configuration["type"] {
      case "f32": return try run(Float.self, configuration, checkpoint, arguments, ranks)
      case "f64": return try run(Double.self, configuration, checkpoint, arguments, ranks)
      default: throw UsageError("--type: '\(configuration["type"])' is neither f32 nor f64")
      }
    }
  }

  private static func run<S: KernelScalar>(
    _: S.Type, _ configuration: RunConfiguration, _ checkpoint: Checkpoint?, _ arguments: Arguments,
    _ ranks: Ranks
  ) throws -> Int32 {
    var configuration = configuration
    let threads = try arguments.count("threads", atMost: Threads.most) ?? ranks.threads
    if DataSplit.isReadTogether(configuration["dataset"]) { try ranks.launch() }
    let (trainer, data, optimizer) = try configuration.trainer(
      S.self, threads: threads, checksRanks: arguments.has("check-ranks"),
      overlap: try SumOverlap(arguments), communicator: ranks.communicator)
    if let checkpoint {
      try trainer.resume(from: checkpoint)
    } else if !configuration["weights"].isEmpty {
      try trainer.loadWeights(
        from: configuration["weights"], matching: NamePattern(configuration["weights-only"]))
    }
    if !ranks.isFirst { return try follow(trainer, ranks) }
    let saver = try Saver(arguments, resumed: checkpoint, configuration: configuration.stored)
    var page = try RunReport(arguments, configuration, trainer, data)
    let report = TrainingReport(
      json: try arguments.jsonLines(appending: checkpoint != nil), isQuiet: arguments.isQuiet)
    report.start(configuration, trainer, data, optimizer, ranks)
    Interruption.listen()
    try ranks.start()
    do {
      let result = try trainer.run { event in
        report.show(event, trainer.options.epochs)
        try page?.add(event)
        try saver.save(trainer, after: event)
        try Interruption.check()
      }
      report.end(result)
      if result.finalTestLoss.isFinite { return 0 }
      report.fail("the loss of the last test is \(result.finalTestLoss)")
      return 1
    } catch let interruption as Interruption {
      do { try saver.save(trainer) } catch {
        report.fail("\(error)")
        return 1
      }
      let place = "interrupted after epoch \(trainer.progress.epoch), step \(trainer.progress.batch)"
      report.fail(
        place
          + (saver.directory.map { "; --resume \($0) continues it" }
            ?? "; without --checkpoint nothing is kept"))
      return interruption.status
    } catch {
      // The run failed, not its input: refused steps and disks that are full.
      report.fail("\(error)", isTold: !ranks.communicator.fail())
      return 1
    }
  }

  /// The same run without a word: the first rank reads signals, writes files and tells.
  private static func follow<S: KernelScalar>(_ trainer: Trainer<S>, _ ranks: Ranks) throws -> Int32 {
    Interruption.ignore()
    try ranks.start()
    do { return try trainer.run().finalTestLoss.isFinite ? 0 : 1 } catch {
      if ranks.communicator.fail() { Console.error("\(error)") }
      return 1
    }
  }

  /// For those who take a hyper-parameter for an option.
  private static func settingHint(_ name: String) -> String? {
    let isSetting = OptimizerRegistry.installed.records.contains { record in
      record.hyperparameters.contains { $0.name == name }
    }
    return isSetting ? "; hyper-parameters are set with --set \(name)=VALUE" : nil
  }
}
