import FisherDistributed
import FisherKit
import FisherLinearAlgebra
import FisherTestSupport
import FisherTraining
import Testing

/// What a step leaves, as bits.
private struct Bits: Equatable, Sendable {
  let fingerprint: UInt64
  let loss: UInt64
  let test: UInt64

  init<S: KernelScalar>(_ trainer: Trainer<S>) {
    fingerprint = trainer.fingerprint
    loss = (trainer.progress.lossSum + (trainer.progress.trainLoss ?? 0)).bitPattern
    test = (trainer.progress.testLoss ?? 0).bitPattern
  }
}

@Suite struct RankTests {
  private static func trainer<S: KernelScalar>(
    _ optimizer: any Optimizer, _ communicator: any Communicator,
    _ change: (inout TrainingOptions) -> Void
  ) throws -> Trainer<S> {
    try Trainer(
      Clouds.normalized(S.self), Clouds.split(), optimizer: optimizer,
      options: Clouds.options { options in
        options.shards = 4
        change(&options)
      }, registry: .builtIn, communicator: communicator)
  }

  /// After so many steps, on each rank. An epoch has seven, and its last batch fewer samples than shards.
  private func bits<S: KernelScalar>(
    _: S.Type, _ optimizer: any Optimizer, ranks: Int, steps: Int = 9,
    _ change: @escaping @Sendable (inout TrainingOptions) -> Void = { _ in }
  ) throws -> [Bits] {
    try asRanks(ranks) { communicator in
      let trainer: Trainer<S> = try Self.trainer(optimizer, communicator) { options in
        options.checksRanks = true
        change(&options)
      }
      for _ in 0..<steps { try trainer.step() }
      return Bits(trainer)
    }
  }

  /// The same bits on any number of ranks as in one process with the same shards, whatever the method needs.
  @Test(arguments: OptimizerRegistry.builtIn.names)
  func anyNumberOfRanksGivesTheSameBits(name: String) throws {
    let optimizer = try OptimizerRegistry.builtIn.type(name).init()
    let alone = try bits(Float.self, optimizer, ranks: 1) { $0.freezesStatistics = true }
    for ranks in [2, 3, 4] {
      let answers = try bits(Float.self, optimizer, ranks: ranks) { $0.freezesStatistics = true }
      #expect(answers == Array(repeating: alone[0], count: ranks), "\(ranks) ranks")
    }
  }

  /// With batch norms that see their shard, dropout, micro-batches, averages and a bound of the norm.
  @Test(arguments: ["sgd", "adam", "adafisher", "kfac"])
  func statisticsMasksAndPartsHaveTheSameBits(name: String) throws {
    let optimizer = try OptimizerRegistry.builtIn.type(name).init()
    for size in [nil, 1, 3] as [Int?] {
      let change: @Sendable (inout TrainingOptions) -> Void = { options in
        options.microBatchSize = size
        options.averaging = 0.9
        options.clipping = .norm(0.5)
        options.groups = [ParameterGroup("0.bias", isFrozen: true)]
      }
      let alone = try bits(Double.self, optimizer, ranks: 1, change)
      for ranks in [2, 3] {
        let answers = try bits(Double.self, optimizer, ranks: ranks, change)
        #expect(
          answers == Array(repeating: alone[0], count: ranks), "\(ranks) ranks, micro-batch \(size ?? 0)")
      }
    }
  }

  /// Shards are the same batch, up to rounding, where samples do not see one another. Not for SOAP: three batches of eight
  /// leave its factors singular, and which basis of the null space it divides in is a matter of rounding.
  @Test(arguments: OptimizerRegistry.builtIn.names.filter { $0 != "soap" })
  func shardsAreTheBatch(name: String) throws {
    let optimizer = try OptimizerRegistry.builtIn.type(name).init()
    func trained(_ shards: Int) throws -> Trainer<Double> {
      let trainer: Trainer<Double> = try Self.trainer(optimizer, SingleProcess()) { options in
        options.shards = shards
        options.freezesStatistics = true
      }
      for _ in 0..<3 { try trainer.step() }
      return trainer
    }
    let (whole, parts) = (try trained(1), try trained(3))
    // Signs and inverses of small numbers magnify rounding.
    for (a, b) in zip(whole.values, parts.values) {
      for (x, y) in zip(a.array, b.array) { #expect(abs(x - y) < 1e-8) }
    }
    #expect(abs(whole.progress.lossSum - parts.progress.lossSum) < 1e-8)
  }

  /// The running averages are those of the shards, weighted with their samples: by the definition.
  @Test func averagesAreThoseOfTheShards() throws {
    let trainer: Trainer<Double> = try Self.trainer(SGD(), SingleProcess()) { $0.shards = 3 }
    let (values, network) = (trainer.values, trainer.network)
    let order = trainer.training.order(epoch: 0)
    let batch = try trainer.training.batch(0, of: order, epoch: 0, as: Double.self)
    var expected = [[Double]](repeating: [], count: network.statisticNames.count)
    for range in [0..<2, 2..<5, 5..<8] {
      let workspace = network.makeWorkspace(threads: 1)
      let part = batch.samples(range)
      workspace.forward(values, part.inputs, part.labels, mode: .training(seed: 0))
      workspace.updateStatistics()
      for (i, statistic) in workspace.statistics.enumerated() {
        let old = expected[i].isEmpty ? Array(repeating: 0, count: statistic.columns) : expected[i]
        expected[i] = zip(old, statistic.array).map { $0 + $1 * Double(range.count) / 8 }
      }
    }
    try trainer.step()
    for (statistic, wanted) in zip(trainer.statistics, expected) {
      for (x, y) in zip(statistic.array, wanted) { #expect(abs(x - y) < 1e-14) }
    }
  }

  /// A run is stored by one rank and goes on with another number of them: 3, 1, then 2.
  @Test func runsGoOnWithOtherRanks() throws {
    let folder = TemporaryFolder()
    let path = folder.path
    let expected = try bits(Float.self, Adam(), ranks: 1, steps: 12)
    var last: [Bits] = []
    for (turn, ranks) in [3, 1, 2].enumerated() {
      last = try asRanks(ranks) { communicator in
        let trainer: Trainer<Float> = try Self.trainer(Adam(), communicator) { _ in }
        if turn > 0 { try trainer.resume(from: Checkpoint(in: path)) }
        try communicator.barrier()
        for _ in 0..<4 { try trainer.step() }
        if communicator.rank == 0 { try trainer.save(to: path) }
        try communicator.barrier()
        return Bits(trainer)
      }
    }
    #expect(last == [expected[0], expected[0]])
    // The shards are what the bits depend on.
    let other: Trainer<Float> = try Self.trainer(Adam(), SingleProcess()) { $0.shards = 2 }
    let error = #expect(throws: FileError.self) { try other.resume(from: Checkpoint(in: path)) }
    #expect(error?.reason.contains("its shards is 4, this run's 2") == true)
  }

  /// A loss that is not finite on one rank is the same refusal on all, and changes nothing.
  @Test func allRanksRefuseTogether() throws {
    let answers = try asRanks(3) { communicator in
      let trainer: Trainer<Float> = try Self.trainer(SGD(), communicator) { $0.batchSize = 50 }
      trainer.values[4][0, 0] = .infinity
      let before = trainer.fingerprint
      do {
        try trainer.step()
        return "took a step"
      } catch {
        return trainer.fingerprint == before ? "\(error)" : "changed something"
      }
    }
    #expect(Set(answers).count == 1 && answers[0].contains("the loss is"), "\(answers)")
  }

  /// A rank whose weights differ in one bit is noticed after the next step.
  @Test func aRankThatDivergesIsNamed() throws {
    let answers = try asRanks(3) { communicator in
      let trainer: Trainer<Float> = try Self.trainer(SGD(), communicator) { $0.checksRanks = true }
      try trainer.step()
      if communicator.rank == 2 { trainer.values[0][1, 2] = trainer.values[0][1, 2].nextUp }
      do {
        try trainer.step()
        return ""
      } catch { return "\(error)" }
    }
    let text = "rank 2 has other weights or state than rank 0 after step 2"
    #expect(answers == [text, text, text])
  }

  /// Who waits for a rank that has failed ends with a refusal.
  @Test func aRankThatFailsEndsTheOthers() throws {
    let answers = try asRanks(2) { communicator in
      if communicator.rank == 1 {
        _ = communicator.fail()
        return ""
      }
      let trainer: Trainer<Float> = try Self.trainer(SGD(), communicator) { _ in }
      do {
        try trainer.step()
        return "took a step"
      } catch { return "\(error)" }
    }
    #expect(answers == ["rank 1 has failed", ""])
  }

  @Test func ranksWithoutShardsAreRefused() throws {
    let answers = try asRanks(3) { communicator in
      do {
        let _: Trainer<Float> = try Self.trainer(SGD(), communicator) { $0.shards = 2 }
        return ""
      } catch { return "\(error)" }
    }
    #expect(answers.allSatisfy { $0 == "2 shards for 3 ranks; each must have at least one" }, "\(answers)")
    let error = #expect(throws: TrainingError.self) {
      let _: Trainer<Float> = try Self.trainer(SGD(), SingleProcess()) { $0.shards = 9 }
    }
    #expect(error?.description == "9 shards of a batch of 8; each must have at least one sample")
  }
}
