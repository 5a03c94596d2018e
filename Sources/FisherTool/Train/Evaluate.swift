import FisherCommandLine
import FisherKit
import FisherRuntime

/// `fisher eval`: loss and accuracy of stored weights.
enum Evaluate {
  static let help = """
    usage: fisher eval FOLDER [OPTIONS]

    Tests the weights of a run that fisher train --checkpoint FOLDER has stored, on its own test data or on others.
    The data it was trained with have to be where they were: inputs are normalised as they were.

      --on       all examples of a CSV file or of a folder of MNIST or CIFAR, in place of the run's test data
      --threads  \(Threads.available) by default
      --plugin, --backend  as the run was started, if it was started with one
      --json     JSON Lines to a file, or - for standard output

    example: fisher eval run --on new.csv
    """

  /// - Returns: the exit status.
  static func run(_ words: [String]) throws(UsageError) -> Int32 {
    let arguments = try Arguments(words, options: StoredRun.options + ["on", "json"])
    return try StoredRun.answer(arguments, command: "eval") {
      Question(other: arguments.value("on"), json: try arguments.jsonLines(), isQuiet: arguments.isQuiet)
    }
  }

  private struct Question: StoredRun.Question {
    let other: String?
    let json: JSONLines?
    let isQuiet: Bool

    func ask<S: KernelScalar>(_ trainer: Trainer<S>, _ data: DataSplit) throws {
      let examples = try other.map { try StoredRun.data($0, like: data) } ?? data.test
      if examples.shape != data.train.shape || examples.outputCount != data.train.outputCount {
        throw UsageError(
          "--on: \(examples.name) has examples of \(examples.shape) and wants \(examples.outputCount) numbers, the run "
            + "has \(data.train.shape) and \(data.train.outputCount)")
      }
      let test = try trainer.evaluate(on: examples)
      if !isQuiet {
        let accuracy = test.accuracy.map { "  accuracy \(fixed(100 * $0, 2)) %" } ?? ""
        print("\(examples.count) examples of \(examples.name): loss \(fixed(test.loss, 6))\(accuracy)")
      }
      json?.write(
        .object([
          ("event", .string("evaluation")), ("dataset", .string(examples.name)),
          ("examples", .int(examples.count)),
          ("loss", .number(test.loss)), ("accuracy", test.accuracy.map(JSON.number) ?? .null),
        ]))
    }
  }
}
