import FisherCommandLine
import FisherComparison
import FisherKit
import FisherRuntime

/// The page that `--report` asks for, written again after every epoch: a run that is interrupted leaves one, too.
struct RunReport {
  private let path: String
  private let title: String
  private let facts: [(name: String, text: String)]
  private var epochs: [EpochReport] = []

  /// Tries whether the page can be written.
  ///
  /// - Returns: nil if none is wanted.
  /// - Throws: `FileError`.
  init?<S: KernelScalar>(
    _ arguments: Arguments, _ configuration: RunConfiguration, _ trainer: Trainer<S>, _ data: DataSplit
  ) throws {
    guard let path = arguments.value("report") else { return nil }
    self.path = path
    title = "\(configuration["optimizer"]) on \(data.train.name)"
    let chosen = RunConfiguration.options.filter {
      !configuration[$0.name].isEmpty && $0.standard != configuration[$0.name]
    }
    let settings = configuration.stored.filter { $0.key.hasPrefix("set.") || $0.key.hasPrefix("group.") }
      .sorted { $0.key < $1.key }
    let threads = trainer.options.threads
    facts =
      [
        ("data", "\(data.train.count) + \(data.test.count) examples of \(data.train.shape)"),
        (
          "network",
          "\(configuration["model"]), \(trainer.network.parameterCount) parameters, \(configuration["type"])"
        ),
      ] + chosen.map { ("--" + $0.name, configuration[$0.name]) } + settings.map { ($0.key, $0.value) }
      + [
        ("seed", configuration["seed"]),
        (
          "made by",
          "fisher \(packageVersion), \(InstructionSet.best.rawValue), \(threads) thread\(threads == 1 ? "" : "s")"
        ),
      ]
    try write()
  }

  /// Takes in an event of the run.
  ///
  /// - Throws: `FileError` if the page cannot be written.
  mutating func add(_ event: TrainingEvent) throws(FileError) {
    guard case .epoch(let report) = event else { return }
    epochs.append(report)
    try write()
  }

  private func write() throws(FileError) {
    try FileBytes.replace(path, with: Array(RunPage(title: title, facts: facts, epochs: epochs).html.utf8))
  }
}
