import FisherBenchmarks
import FisherCommandLine
import FisherKit
import FisherRuntime

/// `fisher doctor`: what this machine is and what the library makes of it.
enum Doctor {
  static let help = """
    usage: fisher doctor [--json PATH]
           fisher doctor --plan MxNxK [--type f32|f64] [--threads N]

    Prints the processor, the instruction set chosen and why, threads, caches, the measured peak and memory
    bandwidth, every CBLAS and MPI library found, and the optimizers.

      --json     one JSON object to a file, or - for standard output
      --plan     how a product of that shape would be computed, and why, instead of all that

    FISHER_ISA=portable|avx2|avx512 forces a lower instruction set, FISHER_THREADS sets the number of threads,
    FISHER_CACHES=32K,512K,16M plans for the caches of another machine.

    example: fisher doctor --json -
    """

  /// - Returns: the exit status.
  static func run(_ words: [String]) throws(UsageError) -> Int32 {
    let arguments = try Arguments(words, options: ["json", "plan", "type", "threads"])
    if let extra = arguments.positional.first { throw UsageError("doctor takes no '\(extra)'") }
    if let shape = arguments.value("plan") {
      try printPlan(try Shape(parsing: shape, option: "plan"), arguments)
      return 0
    }
    for option in ["type", "threads"] where arguments.value(option) != nil {
      throw UsageError("--\(option) says something of a --plan, and there is none")
    }
    let json = try arguments.jsonLines()
    // A setting that does not fit is a line before anything is measured.
    _ = CacheModel.machine
    let facts = MachineFacts()
    if !arguments.isQuiet { facts.print() }
    json?.write(facts.json)
    return 0
  }
}

extension Doctor {
  private static func printPlan(_ shape: Shape, _ arguments: Arguments) throws(UsageError) {
    let threads = try arguments.count("threads") ?? Threads.available
    let type = arguments.value("type") ?? "f32"
    let plan =
      switch type {
      case "f32": ProductPlan(shape.m, shape.n, shape.k, Float.self, on: .best, threads: threads)
      case "f64": ProductPlan(shape.m, shape.n, shape.k, Double.self, on: .best, threads: threads)
      default: throw UsageError("--type is f32 or f64, not \(quoted(type))")
      }
    Swift.print("C \(shape.m) × \(shape.n) = A \(shape.m) × \(shape.k) · B \(shape.k) × \(shape.n), \(type)")
    for line in plan.lines { Swift.print(column(line.subject, 14, left: true) + line.decision) }
  }
}
