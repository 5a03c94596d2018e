import FisherCommandLine
import FisherKit
import FisherRuntime

/// `fisher bench`: our kernels and other libraries, measured side by side.
package enum Bench {
  package static let help = """
    usage: fisher bench SUITE… [--types f32,f64] [--threads 1,2] [--against LIB…] [--sizes …] [--quick] [--json PATH]
                            [--plugin PATH]

    Suites: \(names.joined(separator: ", ")), all. Ours and every library run in turn in one process;
    a ratio above 1 means that ours is faster. step and optimizers measure steps of training
    against those of SGD with momentum, not against libraries. allreduce, alone, sums over ranks that share memory;
    under mpirun also by its MPI library.

      --types    element types, f32 and f64 by default
      --threads  thread counts, 1 by default
      --against  openblas, mkl, blis or the path of a CBLAS library; LIB@CORE forces OpenBLAS to a core; several
                 with commas. OpenBLAS if there is one, by default; none for no library
      --sizes    sizes instead of the default grid: 64,384x100x7 (m x n x k)
      --optimizers  for the suites step and optimizers; with settings as in adafisher:refresh=100
      --plugin   a shared library whose optimizers these suites know, too
      --network  a model for them instead of their own: mlp:…, autoencoder:…, or gpt:…, of 64 random tokens each
      --batch    its samples; 64, 1000 or 4 by default
      --ranks    for the suite allreduce: 2 by default; its sizes are bytes
      --quick    shorter samples and fewer rounds
      --json     one JSON object a line to a file, or - for standard output

    example: fisher bench gemm --types f32 --sizes 64,512 --against openblas,openblas@SkylakeX
    """

  static var names: [String] { Suite.all.map(\.name) + TrainingSuite.all.map(\.name) }

  /// Runs the subcommand.
  ///
  /// - Returns: the exit status.
  /// - Throws: ``UsageError``.
  package static func run(_ words: [String]) throws(UsageError) -> Int32 {
    let arguments = try Arguments(
      words,
      options: [
        "types", "threads", "against", "sizes", "json", "optimizers", "network", "batch", "plugin", "ranks",
      ],
      flags: ["quick"])
    if arguments.positional == ["allreduce"] { return try AllReduceBench.run(arguments) }
    try requireKnown(arguments.positional)
    func isChosen(_ name: String) -> Bool {
      !arguments.positional.filter { $0 == name || $0 == "all" }.isEmpty
    }
    let suites = Suite.all.filter { isChosen($0.name) }
    let trainingSuites = TrainingSuite.all.filter { isChosen($0.name) }
    let types = arguments.list("types") ?? ["f32", "f64"]
    for type in types where type != "f32" && type != "f64" {
      throw UsageError("--types: '\(type)' is neither f32 nor f64")
    }
    let threads = try arguments.counts("threads", atMost: Threads.most) ?? [1]
    var sizes: [Shape]?
    for text in arguments.list("sizes") ?? [] { sizes = try (sizes ?? []) + [Shape(parsing: text)] }
    let peers = suites.isEmpty ? [] : try peers(arguments.list("against"))
    for suite in suites { try requireSymbols(of: suite, types, peers) }
    let optimizers = arguments.list("optimizers")
    let registry: OptimizerRegistry
    do { registry = try OptimizerRegistry.installed(plugin: arguments.value("plugin")) } catch {
      throw UsageError("--plugin: \(error)")
    }
    for name in optimizers ?? [] {
      do { _ = try Workload.optimizer(name, registry) } catch { throw UsageError("--optimizers: \(error)") }
    }
    let json = try arguments.jsonLines()
    let isQuiet = arguments.isQuiet
    let table = isQuiet || suites.isEmpty ? nil : Table(peers: peers)

    let quick = arguments.has("quick")
    var all: [Measurement] = []
    for subject in suites.flatMap({ $0.cases(types, sizes) }) {
      for count in threads {
        Console.progress("measuring \(subject.suite) \(subject.name) \(subject.type), threads \(count)")
        let measured = Measurement(
          subject, threads: count, peers: peers, sample: quick ? 0.002 : 0.01, rounds: quick ? 5 : 9)
        table?.print(measured)
        json?.write(measured.json)
        all.append(measured)
      }
    }
    table?.printSummary(all)
    let batch = try arguments.count("batch")
    let workload = try arguments.value("network").map { (text) throws(UsageError) in
      try Workload(network: text, batch: batch)
    }
    for suite in trainingSuites {
      for workload in workload.map({ [$0] }) ?? suite.workloads {
        if !isQuiet { StepMeasurement.printHead(workload) }
        for type in types {
          for count in threads {
            let run = TrainingRun(
              workload: workload, type: type, threads: count, registry: registry, optimizers: optimizers,
              isQuick: quick)
            Console.progress("measuring \(suite.name) \(workload.network) \(type), threads \(count)")
            for line in suite.measure(run) {
              if !isQuiet { line.print() }
              json?.write(line.json)
            }
          }
        }
      }
    }
    json?.write(Summary(all).json)
    return 0
  }

  private static func requireKnown(_ words: [String]) throws(UsageError) {
    let known = names + ["all"]
    if words.isEmpty { throw UsageError("bench needs a suite: \(known.joined(separator: ", "))") }
    for word in words where !known.contains(word) {
      throw UsageError("unknown suite \(quoted(word))\(Spelling.hint(for: word, among: known))")
    }
  }

  /// What a library lacks falls back to our kernels: it would be compared with itself.
  private static func requireSymbols(
    of suite: Suite, _ types: [String], _ peers: [Peer]
  ) throws(UsageError) {
    for peer in peers {
      for type in types {
        for pattern in suite.symbols {
          let symbol = pattern.replacing("?", with: type == "f32" ? "s" : "d")
          if peer.backend.missingSymbols.contains(symbol) {
            throw UsageError("--against: \(peer.backend.path) has no \(symbol), which '\(suite.name)' needs")
          }
        }
      }
    }
  }

  /// The libraries named, or OpenBLAS if it is installed.
  private static func peers(_ names: [String]?) throws(UsageError) -> [Peer] {
    guard let names else {
      return (try? CBLASBackend(library: "openblas")).map { [Peer(key: "openblas", backend: $0)] } ?? []
    }
    var peers: [Peer] = []
    for name in names where name != "none" {
      do {
        var key = String(name.split(separator: "/").last ?? "")
        while peers.contains(where: { $0.key == key }) { key += "'" }
        peers.append(Peer(key: key, backend: try CBLASBackend(library: name)))
      } catch {
        throw UsageError("--against: \(error)")
      }
    }
    return peers
  }
}
