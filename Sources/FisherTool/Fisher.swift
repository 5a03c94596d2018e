import FisherBenchmarks
import FisherCommandLine
public import FisherKit
import FisherRuntime

/// The command line: a table of subcommands.
public enum Fisher {
  struct Command {
    let name: String
    let summary: String
    /// Asked for when it is wanted: that of `compare` looks at its workloads, which look at their data.
    private let text: () -> String
    let run: ([String]) throws(UsageError) -> Int32

    init(
      name: String, summary: String, help: @autoclosure @escaping () -> String,
      run: @escaping ([String]) throws(UsageError) -> Int32
    ) {
      (self.name, self.summary, text, self.run) = (name, summary, help, run)
    }

    var help: String { text() }
  }

  static var commands: [Command] {
    [
      Command(
        name: "train", summary: "train a network; without options, on handwritten digits", help: Train.help,
        run: Train.run),
      Command(
        name: "eval", summary: "test the weights of a stored run", help: Evaluate.help, run: Evaluate.run),
      Command(
        name: "predict", summary: "what a stored run says to examples", help: Predict.help, run: Predict.run),
      Command(
        name: "optimizers", summary: "list the optimizers, or describe one", help: Optimizers.help,
        run: Optimizers.run),
      Command(
        name: "verify", summary: "prove an optimizer by its properties", help: Verify.help, run: Verify.run),
      Command(
        name: "new-optimizer", summary: "write an optimizer that works, to be changed into yours",
        help: NewOptimizer.help, run: NewOptimizer.run),
      Command(
        name: "fidelity", summary: "compare directions with the exact natural gradient",
        help: FidelityCommand.help,
        run: FidelityCommand.run),
      Command(
        name: "compare", summary: "train with every method alike, and report", help: CompareCommand.help,
        run: CompareCommand.run),
      Command(
        name: "doctor", summary: "what this machine is and what the library makes of it", help: Doctor.help,
        run: Doctor.run),
      Command(
        name: "bench", summary: "measure the kernels against other libraries", help: Bench.help,
        run: Bench.run),
      Command(
        name: "plot", summary: "draw training runs or measurements as SVG", help: Plot.help, run: Plot.run),
    ]
  }

  static var usage: String {
    let lines = listing(commands.map { ($0.name, $0.summary) }).map { "  " + $0 }
    return "usage: fisher COMMAND [OPTIONS]\n\n" + lines.joined(separator: "\n")
      + "\n\nexample: fisher doctor\nfisher help COMMAND tells more, fisher --version which one this is."
  }

  /// Runs the command that the program's arguments name, and ends the program with its exit status.
  ///
  ///     Fisher.main(optimizers: [HeavyBall.self])
  ///
  /// - Parameters:
  ///   - optimizers: those of the program, which every command then knows like the built-in ones.
  ///   - parts: what goes around optimizers, as well.
  public static func main(
    optimizers: [any Optimizer.Type] = [], parts: [any OptimizerPart.Type] = []
  ) -> Never {
    Console.prepare()
    let status: Int32
    do {
      for type in optimizers { try OptimizerRegistry.install(type) }
      for part in parts { try OptimizerRegistry.install(part) }
      status = try run(Array(CommandLine.arguments.dropFirst()))
    } catch {
      Console.error("\(error)")
      status = 2
    }
    Console.flush()
    exit(status)
  }

  /// Runs the subcommand that `words` name.
  static func run(_ words: [String]) throws(UsageError) -> Int32 {
    guard let name = words.first else { throw UsageError("no command; try fisher --help") }
    let rest = Array(words.dropFirst())
    if ["--help", "-h", "help"].contains(name) {
      print(try rest.first.map(command)?.help ?? usage)
      return 0
    }
    if name == "--version" {
      print("fisher \(packageVersion)")
      return 0
    }
    let command = try command(name)
    if rest.contains("--help") || rest.contains("-h") {
      print(command.help)
      return 0
    }
    return try command.run(rest)
  }

  private static func command(_ name: String) throws(UsageError) -> Command {
    if let command = commands.first(where: { $0.name == name }) { return command }
    throw UsageError(
      "unknown command \(quoted(name))\(Spelling.hint(for: name, among: commands.map(\.name)))")
  }
}
