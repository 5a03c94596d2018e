import FisherCommandLine
import FisherKit
import FisherRuntime

/// A run in the folder of a checkpoint, to be asked and not to go on.
struct StoredRun {
  /// Those of the command line that a stored run needs.
  static let options = ["threads"] + RunConfiguration.code

  private let checkpoint: Checkpoint
  private let configuration: RunConfiguration
  private let threads: Int

  /// - Throws: `UsageError`, or a `FileError` if there is no whole checkpoint.
  private init(_ arguments: Arguments, command: String) throws {
    guard let folder = arguments.positional.first, arguments.positional.count == 1 else {
      throw UsageError(
        "\(command) takes one folder of a checkpoint, and \(arguments.positional.count) are given")
    }
    threads = try arguments.count("threads", atMost: Threads.most) ?? Threads.available
    checkpoint = try Checkpoint(in: folder)
    configuration = try RunConfiguration(checkpoint, arguments)
  }

  /// What is done with the run, whatever its element type.
  protocol Question {
    func ask<S: KernelScalar>(_ trainer: Trainer<S>, _ data: DataSplit) throws
  }

  /// Asks the run that the arguments name.
  ///
  /// - Returns: the exit status.
  /// - Throws: `UsageError` in one line, whatever fails.
  static func answer<Q: Question>(
    _ arguments: Arguments, command: String, _ question: () throws -> Q
  ) throws(UsageError) -> Int32 {
    do {
      let run = try StoredRun(arguments, command: command)
      try run.answer(try question())
      return 0
    } catch {
      throw UsageError("\(error)")
    }
  }

  /// Asks the run as it was stored. The data it was trained with have to be where they were.
  private func answer(_ question: some Question) throws {
    func ask<S: KernelScalar>(_: S.Type) throws {
      var configuration = configuration
      let (trainer, data, _) = try configuration.trainer(S.self, threads: threads)
      try trainer.resume(from: checkpoint)
      try question.ask(trainer, data)
    }
    if configuration["type"] == "f64" { try ask(Double.self) } else { try ask(Float.self) }
  }

  /// The data set of a name or path, with targets as the run has them.
  static func data(_ name: String, like data: DataSplit) throws -> Dataset {
    if case .values = data.train.targets {
      return try DataSplit.named(name, as: data.train.targetNames.map { .columns($0) } ?? .regression).all
    }
    return data.train.targets == .inputs
      ? try DataSplit.named(name).reconstructing.all : try DataSplit.named(name).all
  }
}

extension DataSplit {
  /// Training and test one after the other, if they are to be tested together.
  fileprivate var all: Dataset { get throws(FileError) { try train.appending(test) } }
}
