import FisherDistributed
import FisherKit
import FisherLinearAlgebra
import FisherTestSupport
import FisherTraining
import Testing

/// Sums that go on beside the passes: other messages, the same bits.
@Suite struct OverlapTests {
  private static func trainer<S: KernelScalar>(
    _ optimizer: String, _ communicator: any Communicator, _ network: Network<S>,
    _ data: DataSplit = Clouds.split(), bucket: Int = 1, _ change: (inout TrainingOptions) -> Void = { _ in }
  ) throws -> Trainer<S> {
    let method = try OptimizerRegistry.builtIn.type(optimizer).init()
    return try Trainer(
      network, data, optimizer: method,
      options: Clouds.options { options in
        (options.shards, options.overlap, options.bucketBytes) = (4, .on, bucket)
        change(&options)
      }, registry: .builtIn, communicator: communicator)
  }

  /// What nine steps leave on each rank. An epoch has seven, whose last has fewer samples than shards.
  private func fingerprints<S: KernelScalar>(
    _ optimizer: String, ranks: Int, _ network: Network<S>, _ data: DataSplit = Clouds.split(),
    bucket: Int = 1, _ change: @escaping @Sendable (inout TrainingOptions) -> Void = { _ in }
  ) throws -> [UInt64] {
    try asRanks(ranks) { communicator in
      let trainer = try Self.trainer(optimizer, communicator, network, data, bucket: bucket, change)
      #expect(trainer.sumsBesidePasses == (ranks > 1 && trainer.options.overlap == .on))
      for _ in 0..<9 { try trainer.step() }
      return trainer.fingerprint
    }
  }

  /// Buckets of a parameter each, of some, and of all, on 1, 2, 3 and 4 ranks, with shards of other sizes: batch norms,
  /// dropout and all that methods ask for.
  @Test(arguments: OptimizerRegistry.builtIn.names)
  func overlapChangesNoBit(name: String) throws {
    for shards in [4, 5] {
      let change: @Sendable (inout TrainingOptions) -> Void = { options in
        options.shards = shards
        options.freezesStatistics = name != "sgd" && name != "kfac" && name != "adam"
      }
      let network = try Clouds.normalized(Float.self)
      let without = try fingerprints(name, ranks: 2, network) {
        change(&$0)
        $0.overlap = .off
      }
      for ranks in [1, 2, 3, 4] {
        for bucket in [1, 100, 1 << 20] {
          let with = try fingerprints(name, ranks: ranks, network, bucket: bucket, change)
          #expect(
            Set(with + without).count == 1, "\(ranks) ranks, \(shards) shards, buckets of \(bucket) bytes")
        }
      }
    }
  }

  /// A table of two layers, norms without factors, masked answers: what is complete when, and how often, differs.
  @Test(arguments: ["sgd", "kfac", "adafisher"])
  func sharedTablesAndMasksHaveTheSameBits(name: String) throws {
    let network = try Network<Double>(
      input: [5], [.embedding(tokens: 7, width: 4), .layerNorm, .linear(4), .relu, .unembedding])
    let alone = try fingerprints(name, ranks: 1, network, MaskedTokens.split())
    for bucket in [1, 200] {
      let with = try fingerprints(name, ranks: 3, network, MaskedTokens.split(), bucket: bucket)
      #expect(Set(with + alone).count == 1, "buckets of \(bucket) bytes")
    }
  }

  /// A loss that is a sum: gradients become those of the mean on the way.
  @Test func gradientsOfSumsBecomeThoseOfMeans() throws {
    let network = try Network<Float>(
      input: [4], [.linear(9), .tanh, .linear(3)], loss: Loss<SumReduction>.softmaxCrossEntropy())
    let alone = try fingerprints("adam", ranks: 1, network)
    #expect(Set(alone + (try fingerprints("adam", ranks: 3, network))).count == 1)
  }

  /// Micro-batches, which only some shards are cut into, and batch norms of the whole batch: there sums wait.
  @Test func whereSumsWaitTheBitsAreTheSame() throws {
    let network = try Clouds.normalized(Double.self)
    for (size, seesWholeBatch) in [(1, false), (2, false), (nil, true)] as [(Int?, Bool)] {
      let change: @Sendable (inout TrainingOptions) -> Void = { options in
        (options.shards, options.microBatchSize) = (3, size)
        options.normsSeeWholeBatch = seesWholeBatch
      }
      let alone = try fingerprints("kfac", ranks: 1, network) { change(&$0) }
      #expect(Set(alone + (try fingerprints("kfac", ranks: 2, network) { change(&$0) })).count == 1)
    }
  }

  /// Sums of numbers near the least normal one: what sums beside the passes flushes to zero like the passes.
  @Test func subnormalSumsAreZeroOnBothThreads() throws {
    let rows = (0..<24).map { n in (0..<4).map { j in Float(n % 5 + j) * 4e-38 } }
    let data = Dataset(
      name: "small", shape: ExampleShape(channels: 4), rows: rows, classes: (0..<24).map { $0 % 3 },
      classCount: 3)
    let change: @Sendable (inout TrainingOptions) -> Void = { $0.normalizes = false }
    let network = try Clouds.network(Float.self)
    let split = DataSplit(train: data, test: data)
    let alone = try fingerprints("sgd", ranks: 1, network, split) { change(&$0) }
    #expect(Set(alone + (try fingerprints("sgd", ranks: 3, network, split) { change(&$0) })).count == 1)
  }

  /// Buckets come from the last parameters to the first, and factors in pieces; all of them on the other thread.
  @Test func bucketsComeFromTheLastLayerOn() throws {
    let answers = try asRanks(2) { communicator in
      let watched = WatchedCommunicator(communicator)
      let network = try Network<Double>(input: [4], [.linear(9), .tanh, .linear(7), .tanh, .linear(3)])
      let trainer = try Self.trainer("kfac", watched, network, bucket: 200)
      try trainer.step()
      return (summed: watched.summed, isOnThread: watched.isOnThread, gathered: watched.gathered.first)
    }
    // A bucket has at least 25 numbers. Triangles are those of 5 and 9, 10 and 7, 8 and 3.
    let gradients = [3 + 21 + 7, 63, 9 + 36].map { 8 * $0 }
    let factors = [15 + 45, 55, 28, 36, 6].map { 8 * $0 }
    for answer in answers {
      #expect(
        answer.summed == gradients + factors && answer.isOnThread.allSatisfy { !$0 }, "\(answer.summed)")
      #expect(answer.gathered == 4 * 3 * 8)
    }
  }

  /// By default between machines, if a core is free; never where only one thread is served, and not on one machine.
  @Test(arguments: [
    (SumOverlap.auto, false, true, false), (.auto, true, true, true), (.auto, true, false, false),
    (.on, false, true, true), (.on, true, false, false), (.off, true, true, false),
  ])
  func overlapIsWhereItPays(
    _ wanted: SumOverlap, _ spansMachines: Bool, _ servesAnyThread: Bool, _ expected: Bool
  ) throws {
    let answers = try asRanks(2) { communicator in
      let watched = WatchedCommunicator(
        communicator, spansMachines: spansMachines, servesAnyThread: servesAnyThread)
      let trainer = try Self.trainer("sgd", watched, Clouds.network(Float.self)) { $0.overlap = wanted }
      try trainer.step()
      return [trainer.sumsBesidePasses, watched.isOnThread == [true]]
    }
    let expected = expected && (wanted == .on || RankEnvironment.leavesCore(threads: 1))
    #expect(answers == [[expected, !expected], [expected, !expected]])
  }

  /// A loss that is not finite in one shard is refused by all before anything is added up; the next step has its bits.
  @Test(arguments: [0, 10])
  func oneShardRefusesForAll(sample: Int) throws {
    let test = Clouds.data(9, seed: 2)
    func data(_ isBad: Bool) -> DataSplit {
      DataSplit(streaming: "one", batchesPerEpoch: 2, samplesPerBatch: 11, test: test) { _, _, samples in
        Dataset(
          name: "one", shape: ExampleShape(channels: 4),
          rows: samples.map { isBad && $0 == sample ? [3e38, -3e38, 3e38, 3e38] : [1, 2, 0, -1] },
          classes: samples.map { $0 % 3 }, classCount: 3)
      }
    }
    let (bad, good) = (data(true), data(false))
    let answers = try asRanks(3) { communicator in
      let watched = WatchedCommunicator(communicator)
      let trainer = try Self.trainer("sgd", watched, Clouds.network(Double.self), bad)
      trainer.values[0] = Matrix(rows: 9, columns: 4) { i, _ in i == 4 ? 1e300 : 0.1 }
      let before = trainer.fingerprint
      var said = "took a step"
      do { try trainer.step() } catch {
        said = trainer.fingerprint == before && watched.summed.isEmpty ? "\(error)" : "changed something"
      }
      let after = try Self.trainer("sgd", communicator, Clouds.network(Double.self), good)
      try after.step()
      return said
    }
    #expect(Set(answers).count == 1 && answers[0].contains("the loss is"), "\(answers)")
  }

  /// A rank that gives up before any of the sums of a step ends the others, and nothing has changed.
  @Test(arguments: 0..<8) func aRankThatDiesInABucketEndsTheOthers(sum: Int) throws {
    let answers = try asRanks(3) { communicator in
      let watched = WatchedCommunicator(communicator, dying: communicator.rank == 1 ? sum : nil)
      let network = try Network<Double>(input: [4], [.linear(9), .tanh, .linear(7), .tanh, .linear(3)])
      let trainer = try Self.trainer("kfac", watched, network, bucket: 200)
      let before = trainer.fingerprint
      do {
        try trainer.step()
        return "took a step"
      } catch { return trainer.fingerprint == before ? "\(error)" : "changed something: \(error)" }
    }
    #expect(answers == Array(repeating: "rank 1 has failed", count: 3))
  }
}
