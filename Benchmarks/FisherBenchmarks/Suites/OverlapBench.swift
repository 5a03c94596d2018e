import FisherCommandLine
import FisherKit
import FisherRuntime
import FisherTraining

/// `fisher bench overlap`: what a step takes if ranks add up after their passes, and if they do so beside them, over a
/// network whose time is modelled.
enum OverlapBench {
  /// Latency and bandwidth: `25x20` are 25 Gb/s and 20 µs.
  struct Link: Sendable {
    let gigabits, microseconds: Double

    init(_ text: String) throws(UsageError) {
      let parts = text.split(separator: "x", omittingEmptySubsequences: false)
      guard parts.count == 2, let gigabits = Double(parts[0]), let microseconds = Double(parts[1]),
        gigabits > 0, microseconds >= 0
      else { throw UsageError("--links: \(quoted(text)) is not as 25x20, of 25 Gb/s and 20 µs") }
      (self.gigabits, self.microseconds) = (gigabits, microseconds)
    }
  }

  private static let steps = 24

  /// Runs the suite as one of the ranks.
  ///
  /// - Returns: the exit status.
  /// - Throws: ``UsageError``.
  static func run(_ words: [String], _ arguments: Arguments) throws(UsageError) -> Int32 {
    do {
      let joined = try RankEnvironment.join()
      let wanted = try arguments.count("ranks", atMost: RankProcesses.most) ?? 2
      let processes = joined == nil ? try RankProcesses(ranks: wanted) : nil
      guard let communicator = joined ?? processes?.communicator() else { return 2 }
      let links = try (arguments.list("links") ?? ["25x20", "2x200"]).map { try Link($0) }
      let workload = try Workload(
        network: arguments.value("network") ?? Workload.autoencoder.network,
        batch: try arguments.count("batch"))
      let json = communicator.rank == 0 ? try arguments.jsonLines() : nil
      try processes?.start(arguments: ["bench"] + words)
      for name in arguments.list("optimizers") ?? ["sgd", "kfac"] {
        // A library over a real network is measured as it is.
        for link in communicator.spansMachines ? [nil] : links.map(Optional.some) {
          let times = try measure(name, workload, link, communicator)
          if communicator.rank > 0 { continue }
          if !arguments.isQuiet { tell(name, link, times) }
          json?.write(
            .object([
              ("event", .string("overlap")), ("optimizer", .string(name)),
              ("gigabits", link.map { .number($0.gigabits) } ?? .null),
              ("microseconds", link.map { .number($0.microseconds) } ?? .null),
              ("localSeconds", .number(times[0])), ("offSeconds", .number(times[1])),
              ("onSeconds", .number(times[2])),
            ]))
        }
      }
      communicator.finish(status: 0)
      return 0
    } catch {
      throw error as? UsageError ?? UsageError("\(error)")
    }
  }

  private static func tell(_ name: String, _ link: Link?, _ times: [Double]) {
    let place =
      link.map { "\(fixed($0.gigabits, 1)) Gb/s, \(fixed($0.microseconds, 0)) µs" } ?? "between machines"
    let texts = times.map { column(fixed(1e3 * $0, 1), 8) }
    print(
      column(name, 12, left: true) + column(place, 20, left: true) + "ms a step: without a network" + texts[0]
        + ", after the passes" + texts[1] + ", beside them" + texts[2])
    Console.flush()
  }

  /// Medians of the seconds of a step: with shared memory alone, with sums after the passes, and beside them. The three
  /// take turns.
  private static func measure(
    _ name: String, _ workload: Workload, _ link: Link?, _ communicator: any Communicator
  ) throws -> [Double] {
    let network = link.map { link -> any Communicator in
      ModelledNetwork(
        communicator, latency: 1e-6 * link.microseconds, bandwidth: 1e9 / 8 * link.gigabits)
    }
    let kinds: [(any Communicator, SumOverlap)] = [
      (communicator, .off), (network ?? communicator, .off), (network ?? communicator, .on),
    ]
    let trainers = try kinds.map { try trainer(name, workload, $0, $1) }
    var times = [[Double]](repeating: [], count: kinds.count)
    for step in 0..<steps {
      for (kind, trainer) in trainers.enumerated() {
        try communicator.barrier()
        let start = seconds()
        try trainer.step()
        if step >= 4 { times[kind].append(seconds() - start) }
      }
    }
    return times.map { $0.sorted()[$0.count / 2] }
  }

  /// On random images, with a shard for each rank and an epoch that does not end.
  private static func trainer(
    _ name: String, _ workload: Workload, _ communicator: any Communicator, _ overlap: SumOverlap
  ) throws -> Trainer<Float> {
    let input = Workload.widths(workload.network)[0]
    var generator = KeyedGenerator(1)
    func data(_ count: Int) -> Dataset {
      Dataset(
        name: "noise", shape: ExampleShape(channels: input),
        storage: .bytes(
          (0..<count * input).map { _ in UInt8(truncatingIfNeeded: generator.next()) }, scale: 1 / 255),
        targets: .inputs)
    }
    let split = DataSplit(train: data((steps + 1) * workload.batch), test: data(1))
    var options = TrainingOptions()
    (options.batchSize, options.shards, options.overlap) = (workload.batch, communicator.size, overlap)
    (options.schedule, options.threads) = ("constant", 1)
    let layers = try ModelSpec(workload.network).layers(input: [input], outputs: input, vocabulary: nil)
    let loss: Loss<MeanReduction> = .binaryCrossEntropy
    return try Trainer(
      Network<Float>(input: [input], layers, loss: loss), split,
      optimizer: try Workload.optimizer(name, .builtIn), options: options, registry: .builtIn,
      communicator: communicator)
  }
}
