import FisherCommandLine
import FisherKit
import FisherLinearAlgebra
import FisherRuntime

/// What `fisher bench` is asked for, all of it checked before anything is measured.
struct BenchRequest {
  let suites: [Suite]
  let trainingSuites: [TrainingSuite]
  /// The side of the blocks of small shapes of which one each is measured; nil without the map.
  let mapWidth: Int?
  let types: [String]
  let threads: [Int]
  let sizes: [Shape]?
  let peers: Peers
  let registry: OptimizerRegistry
  let optimizers: [String]?
  let workload: Workload?
  let isQuick: Bool

  static var names: [String] { Suite.all.map(\.name) + ["map"] + TrainingSuite.all.map(\.name) }

  /// - Throws: ``UsageError``.
  init(_ arguments: Arguments) throws(UsageError) {
    let words = arguments.positional
    try Self.requireKnown(words)
    func isChosen(_ name: String) -> Bool { words.contains(name) || words.contains("all") }
    mapWidth = try Self.mapWidth(arguments)
    let isMapForGemm = arguments.has("map") || arguments.value("map") != nil
    suites = Suite.all.filter { isChosen($0.name) && !($0.name == "gemm" && isMapForGemm) }
    trainingSuites = TrainingSuite.all.filter { isChosen($0.name) }
    types = arguments.list("types") ?? ["f32", "f64"]
    for type in types where type != "f32" && type != "f64" {
      throw UsageError("--types: '\(type)' is neither f32 nor f64")
    }
    threads = try arguments.counts("threads", atMost: Threads.most) ?? [1]
    var sizes: [Shape]?
    for text in arguments.list("sizes") ?? [] { sizes = try (sizes ?? []) + [Shape(parsing: text)] }
    self.sizes = sizes
    if arguments.value("plot") != nil && mapWidth == nil {
      throw UsageError("--plot draws the map: fisher bench gemm --map; for the suites there is fisher plot")
    }
    let isCompared = !suites.isEmpty || mapWidth != nil
    // Beside one thread of ours, MKL needs no library for threads, which might be missing.
    if threads == [1] { setenv("MKL_THREADING_LAYER", "SEQUENTIAL", 0) }
    do {
      peers = try Peers(
        isCompared ? arguments.list("against") : ["none"],
        environment: PythonEnvironment(arguments.value("venv")))
    } catch { throw UsageError("--against: \(error)") }
    if mapWidth == nil && arguments.list("against") != nil, let library = peers.xsmm {
      throw UsageError("--against: \(library.key) is compared with in the map alone: fisher bench gemm --map")
    }
    for suite in suites { try suite.requireSymbols(types, peers.cblas) }
    if mapWidth != nil { try Suite.gemm.requireSymbols(types, peers.cblas) }
    optimizers = arguments.list("optimizers")
    do { registry = try OptimizerRegistry.installed(plugin: arguments.value("plugin")) } catch {
      throw UsageError("--plugin: \(error)")
    }
    for name in optimizers ?? [] {
      do { _ = try Workload.optimizer(name, registry) } catch { throw UsageError("--optimizers: \(error)") }
    }
    let batch = try arguments.count("batch")
    workload = try arguments.value("network").map { (text) throws(UsageError) in
      try Workload(network: text, batch: batch)
    }
    isQuick = arguments.has("quick")
  }

  private static func mapWidth(_ arguments: Arguments) throws(UsageError) -> Int? {
    let isGiven = arguments.has("map") || arguments.value("map") != nil
    let words = arguments.positional
    if isGiven && !words.contains("gemm") && !words.contains("map") {
      throw UsageError("--map is the map of gemm's small shapes: fisher bench gemm --map")
    }
    switch arguments.value("map") {
    case "all": return 1
    case nil, "sample": return isGiven || words.contains("map") ? SmallShapes.sampleWidth : nil
    case let other?:
      throw UsageError("--map is --map=sample, as without a value, or --map=all, not \(quoted(other))")
    }
  }

  private static func requireKnown(_ words: [String]) throws(UsageError) {
    let known = names + ["all"]
    if words.isEmpty { throw UsageError("bench needs a suite: \(known.joined(separator: ", "))") }
    for word in words where !known.contains(word) {
      throw UsageError("unknown suite \(quoted(word))\(Spelling.hint(for: word, among: known))")
    }
  }
}

extension Suite {
  /// What a library lacks falls back to our kernels: it would be compared with itself.
  func requireSymbols(_ types: [String], _ peers: [Peer]) throws(UsageError) {
    for peer in peers {
      for type in types {
        for pattern in symbols {
          let symbol = pattern.replacing("?", with: type == "f32" ? "s" : "d")
          if peer.backend.missingSymbols.contains(symbol) {
            throw UsageError("--against: \(peer.backend.path) has no \(symbol), which '\(name)' needs")
          }
        }
      }
    }
  }
}
