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
    let facts = Facts()
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

/// Everything that doctor reports, measured once.
private struct Facts {
  let tier = InstructionSet.best
  let threads = Threads.available
  let libraries = CBLASBackend.discover()
  let mpi = MPILibrary.discover()
  let peak: [(threads: Int, f32: Double, f64: Double, bandwidth: Double)]

  init() {
    peak = Set([1, Threads.available]).sorted().map { threads in
      (
        threads, Peak.gflops(Float.self, threads: threads, samples: 20),
        Peak.gflops(Double.self, threads: threads, samples: 20), Peak.bandwidth(threads: threads)
      )
    }
  }

  /// Why this tier was chosen.
  var reason: String {
    let best = InstructionSet.supported.last ?? .portable
    return tier == best
      ? "the best this machine supports" : "forced by FISHER_ISA; the machine supports \(best.rawValue)"
  }

  func print() {
    func line(_ name: String, _ value: String) { Swift.print(column(name, 14, left: true) + value) }
    line("fisher", packageVersion)
    line("processor", CPU.name)
    line(
      "features", InstructionSet.avx512.requiredFeatures.filter(CPU.features.contains).joined(separator: " "))
    line("kernels", "\(tier.rawValue), \(reason)")
    line(
      "threads", "\(threads) (cores \(Threads.cores), quota \(Threads.quota.map { fixed($0, 2) } ?? "none"))")
    let forced = Environment["FISHER_CACHES"].map { "; planned for those of FISHER_CACHES, \($0)" } ?? ""
    line("caches", CPU.caches.map { "\($0.level) \($0.bytes >> 10) KiB" }.joined(separator: ", ") + forced)
    for entry in peak {
      line(
        "\(entry.threads) thread\(entry.threads == 1 ? "" : "s")",
        "FMA peak f32 \(fixed(entry.f32, 0)), f64 \(fixed(entry.f64, 0)) GFLOP/s; memory \(fixed(entry.bandwidth, 1)) GB/s"
      )
    }
    for library in libraries {
      line("library", "\(library.version) \(library.core ?? "")  \(library.path)")
      if !library.missingSymbols.isEmpty {
        line("", "lacks " + library.missingSymbols.joined(separator: " "))
      }
    }
    if libraries.isEmpty { line("library", "no CBLAS library found (apt-get install libopenblas-dev)") }
    for library in mpi { line("MPI", "\(library.version), \(library.interface.rawValue)  \(library.path)") }
    if mpi.isEmpty { line("MPI", "no MPI library found (apt-get install mpich)") }
    line("optimizers", OptimizerRegistry.installed.names.joined(separator: " "))
  }

  var json: JSON {
    let all = peak.last!
    return .object([
      ("version", .string(packageVersion)), ("cpu", .string(CPU.name)),
      ("features", .array(CPU.features.sorted().map(JSON.string))),
      ("tier", .string(tier.rawValue)), ("reason", .string(reason)), ("threads", .int(threads)),
      ("cores", .int(Threads.cores)), ("quota", Threads.quota.map(JSON.number) ?? .null),
      ("caches", .object(CPU.caches.map { ($0.level, .int($0.bytes)) })),
      ("peakGflops", .object([("f32", .number(peak[0].f32)), ("f64", .number(peak[0].f64))])),
      ("peakGflopsAllThreads", .object([("f32", .number(all.f32)), ("f64", .number(all.f64))])),
      ("bandwidthGBs", .number(peak[0].bandwidth)), ("bandwidthGBsAllThreads", .number(all.bandwidth)),
      (
        "backends",
        .array(
          [.object([("name", .string("native")), ("version", .string(tier.rawValue))])]
            + libraries.map { library in
              .object([
                ("name", .string(library.name)), ("path", .string(library.path)),
                ("version", .string(library.version)), ("core", library.core.map(JSON.string) ?? .null),
                ("missing", .array(library.missingSymbols.map(JSON.string))),
              ])
            })
      ),
      (
        "mpi",
        .array(
          mpi.map { library in
            .object([
              ("path", .string(library.path)), ("version", .string(library.version)),
              ("abi", .string(library.interface.rawValue)),
            ])
          })
      ), ("optimizers", .array(OptimizerRegistry.installed.names.map(JSON.string))),
    ])
  }
}
