import FisherCurvature
import FisherDistributed
import FisherKit
import FisherLinearAlgebra
import FisherTestSupport
import FisherTraining
import Synchronization
import Testing

/// What a rank sends follows from what its step needs: sums of factors over shards, and what one rank computes for all.
@Suite struct SharedWorkTests {
  /// The bytes that the first steps of `method` gather and sum, on two ranks with two shards each.
  private func traffic(
    _ method: any Optimizer, steps: Int = 1
  ) throws -> (gathered: [Int], summed: [Int], parameters: [ParameterInfo]) {
    let answers = try asRanks(2) { communicator in
      let counting = WatchedCommunicator(communicator)
      let trainer = try Trainer<Double>(
        Clouds.normalized(Double.self), Clouds.split(), optimizer: method,
        options: Clouds.options {
          $0.shards = 4
          $0.freezesStatistics = true
        }, registry: .builtIn, communicator: counting)
      for _ in 0..<steps { try trainer.step() }
      return (gathered: counting.gathered, summed: counting.summed, parameters: trainer.network.parameters)
    }
    #expect(answers[0].gathered == answers[1].gathered && answers[0].summed == answers[1].summed)
    return answers[0]
  }

  /// Three numbers a shard for the loss, and P for the gradients.
  @Test func adamSendsGradients() throws {
    let (gathered, summed, parameters) = try traffic(Adam())
    #expect(gathered == [4 * 3 * 8])
    #expect(summed == [parameters.reduce(0) { $0 + $1.count } * 8])
  }

  /// Triangles of A and G are summed, the inverses of both gathered with one number each; no row of a sample is sent.
  @Test func kfacSendsTrianglesAndInverses() throws {
    let (gathered, summed, parameters) = try traffic(KFAC())
    let orders = KroneckerLayer.layers(of: parameters.filter { KFAC.record.roles.contains($0.role) })
      .flatMap { [$0.inputs, $0.outputs] }
    let P = parameters.reduce(0) { $0 + $1.count }
    let triangles = orders.reduce(0) { $0 + $1 * ($1 + 1) / 2 }
    #expect(summed == [P * 8, triangles * 8])
    #expect(gathered == [4 * 3 * 8, orders.reduce(0) { $0 + $1 * $1 + 1 } * 8])
  }

  /// AdaFisher's diagonals are one small vector.
  @Test func adaFisherSendsDiagonals() throws {
    let (gathered, summed, parameters) = try traffic(AdaFisher())
    #expect(gathered == [4 * 3 * 8] && summed.count == 2)
    let P = parameters.reduce(0) { $0 + $1.count }
    #expect(summed[0] == P * 8 && summed[1] < P * 8)
  }

  /// A method gives to others what its record says, and only then.
  @Test(arguments: ["muon", "psgd", "lion", "shampoo", "soap", "mbf"])
  func theRecordSaysWhatIsShared(name: String) throws {
    let type = try OptimizerRegistry.builtIn.type(name)
    // Shampoo begins in its fifth step.
    let (gathered, _, _) = try traffic(type.init(), steps: 5)
    #expect((gathered.count > 5) == !type.record.sharedSlots.isEmpty)
  }

  /// A rank computes only some of the directions that take more work than sending them, and gets the others: with the bits
  /// of one process. Those that take less are not sent.
  @Test(arguments: [
    ("kfac", [300 * 5, 3 * 301]), ("foof", [3 * 301]), ("mbf", [3 * 301]), ("sgd", []),
  ])
  func largeDirectionsAreSharedOut(name: String, sent: [Int]) throws {
    let method = try OptimizerRegistry.builtIn.type(name).init()
    func trained(_ ranks: Int) throws -> [(bits: UInt64, gathered: [Int])] {
      try asRanks(ranks) { communicator in
        let counting = WatchedCommunicator(communicator)
        let trainer = try Trainer<Double>(
          Network(input: [4], [.linear(300), .tanh, .linear(3)]), Clouds.split(), optimizer: method,
          options: Clouds.options {
            $0.shards = 4
            $0.checksRanks = true
          }, registry: .builtIn, communicator: counting)
        // The fifth refreshes nothing.
        for _ in 0..<5 { try trainer.step() }
        return (trainer.fingerprint, counting.gathered)
      }
    }
    let alone = try trained(1)[0].bits
    for ranks in [2, 3] {
      for (bits, gathered) in try trained(ranks) {
        #expect(bits == alone, "\(ranks) ranks")
        // After the losses, and before the hashes that are compared.
        let last = gathered.dropLast().last
        #expect(last == (sent.isEmpty ? 4 * 3 * 8 : sent.reduce(0) { $0 + $1 + 1 } * 8))
      }
    }
  }

  /// Every task has one rank, the longest first; nobody has more than 4/3 of the least possible.
  @Test func theLongestGoFirst() {
    #expect(LongestFirst.owners(costs: [1, 8, 2, 4, 4], ranks: 2) == [1, 0, 0, 1, 1])
    #expect(LongestFirst.owners(costs: [1, 1, 1], ranks: 3) == [0, 1, 2])
    #expect(LongestFirst.owners(costs: [5, 5], ranks: 1) == [0, 0])
    #expect(LongestFirst.owners(costs: [], ranks: 4) == [])
  }
}

/// The factors that shards add up to are those of the batch.
@Suite struct ShardedStatisticsTests {
  /// Masked answers: the terms of shards differ from their samples.
  @Test(arguments: ["kfac", "ekfac", "foof", "tnt", "adafisher", "adafisherw", "sophia"])
  func shardsWithFewerAnswersCountLess(name: String) throws {
    func trained(_ shards: Int) throws -> Trainer<Double> {
      let network = try Network<Double>(
        input: [5], [.embedding(tokens: 7, width: 4), .layerNorm, .linear(6), .relu, .linear(7)])
      let method = try OptimizerRegistry.builtIn.type(name).init()
      let trainer = try Trainer<Double>(
        network, MaskedTokens.split(), optimizer: method,
        options: Clouds.options {
          $0.shards = shards
          $0.batchSize = 8
        }, registry: .builtIn)
      for _ in 0..<2 { try trainer.step() }
      return trainer
    }
    let (whole, parts) = (try trained(1), try trained(3))
    for (a, b) in zip(whole.values, parts.values) {
      for (x, y) in zip(a.array, b.array) { #expect(abs(x - y) < 1e-9) }
    }
    for (key, tensor) in whole.state.tensors {
      guard let other = parts.state.tensors[key] else {
        Issue.record("no \(key)")
        continue
      }
      let size = tensor.array.reduce(0) { max($0, abs($1)) }
      for (x, y) in zip(tensor.array, other.array) { #expect(abs(x - y) <= 1e-9 * max(1, size), "\(key)") }
    }
  }
}

/// A rank makes the examples of its shards alone.
@Suite struct RankDataTests {
  @Test func streamsMakeTheOwnExamples() throws {
    @Sendable func example(_ epoch: Int, _ number: Int, _ i: Int) -> [Float] {
      [Float(epoch) + 0.1 * Float(i), Float(number) - 0.2 * Float(i), Float((i * 7 + number) % 5)]
    }
    let asked = Mutex<[[Range<Int>]]>(Array(repeating: [], count: 4))
    @Sendable func split(_ rank: Int) -> DataSplit {
      let test = Dataset(
        name: "test", shape: ExampleShape(channels: 3), rows: [[0, 1, 2]], classes: [1], classCount: 2)
      return DataSplit(streaming: "parts", batchesPerEpoch: 3, samplesPerBatch: 11, test: test) {
        epoch, number, samples in
        asked.withLock { $0[rank].append(samples) }
        return Dataset(
          name: "parts", shape: ExampleShape(channels: 3),
          rows: samples.map { i in example(epoch, number, i) },
          classes: samples.map { ($0 + number) % 2 }, classCount: 2)
      }
    }
    @Sendable func trained(_ communicator: any Communicator, shards: Int, _ split: DataSplit) throws -> UInt64
    {
      let trainer = try Trainer<Float>(
        Network(input: [3], [.linear(4), .relu, .linear(2)]), split,
        optimizer: Adam(), options: Clouds.options { $0.shards = shards }, communicator: communicator)
      for _ in 0..<4 { try trainer.step() }
      return trainer.fingerprint
    }
    let alone = try trained(SingleProcess(), shards: 4, split(3))
    let bits = try asRanks(3) { try trained($0, shards: 4, split($0.rank)) }
    #expect(bits == [alone, alone, alone])
    // The whole first batch once, then the samples of shards 0, 1, and 2 with 3: of 11 in 4 parts.
    let parts = [0..<2, 2..<5, 5..<11]
    for rank in 0..<3 {
      #expect(asked.withLock { $0[rank] } == [0..<11] + Array(repeating: parts[rank], count: 4))
    }
  }
}

/// A method of seven tasks, each with a matrix and an outcome of its own, one of which fails.
private struct Tasks: Optimizer {
  static let record = OptimizerRecord(
    name: "tasks", title: "Tasks", summary: "", paper: "", hyperparameters: Tasks.hyperparameters,
    invariances: [],
    cost: Cost([]), stateSize: "", sharedSlots: ["F"])
  /// Who has carried out which task: the thread of a rank by the name of its state.
  static let done = Mutex<[Int]>([])

  @Setting("α", .positive, source: "") var lr = 0.1

  init() {}

  func plan<S: KernelScalar>(_ step: inout Step<S>) throws(StepRefusal) {
    var results = (0..<7).map { [Matrix<S>(rows: $0 + 1, columns: 2), Matrix<S>(rows: 1, columns: 1)] }
    let outcomes = try step.fill(&results, costs: (0..<7).map { Double($0) }) { i, matrices, _ in
      Self.done.withLock { $0.append(i) }
      matrices[0] = Matrix(rows: i + 1, columns: 2) { S(100 * i + 10 * $0 + $1) }
      matrices[1] = Matrix([S(-i)], rows: 1, columns: 1)
      return i == 5 ? 3 : 0
    }
    for i in 0..<7 {
      step.set("F", of: "\(i)", to: results[i][0])
      step.set("E", of: "\(i)", to: results[i][1])
    }
    step.count("outcomes", outcomes.enumerated().reduce(0) { $0 + ($1.offset + 1) * $1.element })
    for parameter in step.parameters { step.replace(parameter, by: step.value(parameter)) }
  }

  func reference() -> any ReferenceOptimizer { fatalError("it has none") }
}

@Suite(.serialized) struct FilledTests {
  /// Each task is carried out once, by whichever rank, and all ranks have all results and outcomes.
  @Test(arguments: 1...4)
  func everyTaskIsDoneOnce(ranks: Int) throws {
    Tasks.done.withLock { $0 = [] }
    let states = try asRanks(ranks) { communicator in
      let trainer = try Trainer<Float>(
        Clouds.network(Float.self), Clouds.split(), optimizer: Tasks(),
        options: Clouds.options { $0.shards = 4 }, communicator: communicator)
      try trainer.step()
      return (state: trainer.state, outcomes: trainer.progress.events["outcomes"])
    }
    for (state, outcomes) in states {
      #expect(outcomes == 18)
      for i in 0..<7 {
        #expect(
          state.tensors[SlotKey("\(i)", "F")]
            == Matrix(rows: i + 1, columns: 2) { Float(100 * i + 10 * $0 + $1) })
        #expect(state.tensors[SlotKey("\(i)", "E")]?[0, 0] == Float(-i))
      }
    }
    #expect(Tasks.done.withLock { $0.sorted() } == Array(0..<7))
  }
}
