import FisherDistributed
import FisherKit
import FisherLinearAlgebra
import FisherTestSupport
import FisherTraining
import Testing

/// What happens on one rank, or in one shard, is met by all.
@Suite struct RankFailureTests {
  private static func trainer(
    _ name: String, _ communicator: any Communicator, _ data: DataSplit = Clouds.split()
  ) throws -> Trainer<Double> {
    try Trainer(
      Clouds.network(Double.self), data, optimizer: OptimizerRegistry.builtIn.type(name).init(),
      options: Clouds.options { $0.shards = 4 }, registry: .builtIn, communicator: communicator)
  }

  /// Whichever gathering of a step fails, it refuses the step, and nothing has changed.
  @Test(arguments: ["ief", "kfac", "soap"])
  func aFailedGatheringRefusesTheStep(name: String) throws {
    let answers = try asRanks(2) { communicator in
      let counting = WatchedCommunicator(communicator)
      try Self.trainer(name, counting).step()
      var answers: [String] = []
      for failing in 0..<counting.gathered.count {
        let trainer = try Self.trainer(name, WatchedCommunicator(communicator, failing: failing))
        let before = trainer.fingerprint
        do {
          try trainer.step()
          answers.append("gathering \(failing) was not missed")
        } catch { answers.append(trainer.fingerprint == before ? "\(error)" : "changed something: \(error)") }
      }
      return answers
    }
    #expect(answers[0].count > 1)
    for answer in answers.joined() { #expect(answer == "rank 7 has failed") }
  }

  /// A loss that is not finite in one shard is refused by all ranks alike, the last as the first.
  @Test(arguments: [0, 10])
  func oneShardRefusesForAll(sample: Int) throws {
    let test = Clouds.data(9, seed: 2)
    let answers = try asRanks(3) { communicator in
      let data = DataSplit(streaming: "one", batchesPerEpoch: 2, samplesPerBatch: 11, test: test) {
        _, _, samples in
        Dataset(
          name: "one", shape: ExampleShape(channels: 4),
          rows: samples.map { $0 == sample ? [3e38, -3e38, 3e38, 3e38] : [1, 2, 0, -1] },
          classes: samples.map { $0 % 3 }, classCount: 3)
      }
      let trainer = try Self.trainer("sgd", communicator, data)
      trainer.values[0] = Matrix(rows: 9, columns: 4) { i, _ in i == 4 ? 1e300 : 0.1 }
      let before = trainer.fingerprint
      do {
        try trainer.step()
        return "took a step"
      } catch { return trainer.fingerprint == before ? "\(error)" : "changed something: \(error)" }
    }
    #expect(Set(answers).count == 1 && answers[0].contains("the loss is"), "\(answers)")
  }

  /// Masked answers, so that shards have other numbers of terms than samples: what is gathered counts with its own.
  @Test(arguments: ["ief", "ef", "sf", "kbfgs", "mbf"])
  func gatheredTermsAreThoseOfTheirShard(name: String) throws {
    @Sendable func trained(_ communicator: any Communicator, shards: Int) throws -> Trainer<Double> {
      let trainer = try Trainer<Double>(
        Network(input: [5], [.embedding(tokens: 7, width: 4), .layerNorm, .linear(6), .relu, .linear(7)]),
        MaskedTokens.split(), optimizer: OptimizerRegistry.builtIn.type(name).init(),
        options: Clouds.options {
          $0.shards = shards
          $0.checksRanks = true
        }, registry: .builtIn, communicator: communicator)
      for _ in 0..<2 { try trainer.step() }
      return trainer
    }
    let whole = try trained(SingleProcess(), shards: 1)
    let alone = try trained(SingleProcess(), shards: 3)
    for (a, b) in zip(whole.values, alone.values) {
      for (x, y) in zip(a.array, b.array) { #expect(abs(x - y) < 1e-8) }
    }
    let bits = try asRanks(2) { try trained($0, shards: 3).fingerprint }
    #expect(bits == [alone.fingerprint, alone.fingerprint])
  }
}

/// Sequences of which some want fewer answers than others.
enum MaskedTokens {
  static func split() -> DataSplit {
    var generator = Generator(seed: 4)
    let sequences = (0..<24).map { _ in (0..<5).map { _ in Int.random(in: 0..<7, using: &generator) } }
    // The first half of every sequence of the first samples wants no answer.
    let classes = sequences.enumerated().map { n, tokens in
      tokens.enumerated().map { t, token in n % 8 < 3 && t < 4 ? -1 : (token + 1) % 7 }
    }
    let data = Dataset(name: "tokens", sequences: sequences, vocabulary: 7, classes: classes, classCount: 7)
    return DataSplit(train: data, test: data)
  }
}
