import FisherDistributed
import FisherKit
import FisherLinearAlgebra
import FisherTestSupport
import FisherTraining
import Testing

/// Batch norms that see the whole batch, though it was cut into shards.
@Suite struct WholeBatchNormTests {
  /// Two batch norms, in a row with a convolution; images of one channel.
  private static func network<S: KernelScalar>(_: S.Type) throws -> Network<S> {
    try Network<S>(
      input: [4], [.linear(9), .batchNorm, .relu, .linear(5), .batchNorm, .tanh, .linear(3)])
  }

  private static func trainer<S: KernelScalar>(
    _ optimizer: any Optimizer, _ communicator: any Communicator = SingleProcess(),
    _ change: (inout TrainingOptions) -> Void = { _ in }
  ) throws -> Trainer<S> {
    try Trainer(
      network(S.self), Clouds.split(train: 55), optimizer: optimizer,
      options: Clouds.options { options in
        options.batchSize = 11
        options.shards = 4
        options.normsSeeWholeBatch = true
        options.checksRanks = true
        change(&options)
      }, registry: .builtIn, communicator: communicator)
  }

  /// Any number of ranks leaves the same bits.
  @Test(arguments: ["sgd", "adam", "adafisher", "kfac", "foof", "mbf", "muon"])
  func ranksHaveTheSameBits(name: String) throws {
    let optimizer = try OptimizerRegistry.builtIn.type(name).init()
    let bits = try (1...4).map { ranks in
      try asRanks(ranks) { communicator in
        let trainer: Trainer<Float> = try Self.trainer(optimizer, communicator)
        for _ in 0..<6 { try trainer.step() }
        return trainer.fingerprint
      }
    }
    for answers in bits { #expect(Set(answers + bits[0]).count == 1, "\(answers.count) ranks") }
  }

  /// Up to rounding it is the batch in one piece: weights, running averages, loss and state; and batch norms that see
  /// their shards are not.
  @Test(arguments: ["sgd", "adam", "adafisher", "kfac"])
  func shardsAreTheBatch(name: String) throws {
    let optimizer = try OptimizerRegistry.builtIn.type(name).init()
    func trained(_ shards: Int, whole: Bool) throws -> Trainer<Double> {
      let trainer: Trainer<Double> = try Self.trainer(optimizer) {
        $0.shards = shards
        $0.normsSeeWholeBatch = whole
      }
      for _ in 0..<3 { try trainer.step() }
      return trainer
    }
    func distance(_ a: [Matrix<Double>], _ b: [Matrix<Double>]) -> Double {
      zip(a, b).reduce(0) { zip($1.0.array, $1.1.array).reduce($0) { max($0, abs($1.0 - $1.1)) } }
    }
    let one = try trained(1, whole: true)
    for shards in [2, 3, 4, 11] {
      let parts = try trained(shards, whole: true)
      // Adam divides by roots of small numbers: rounding grows by their inverse.
      #expect(distance(one.values, parts.values) < 1e-9, "\(shards) shards")
      #expect(distance(one.statistics, parts.statistics) < 1e-10)
      #expect(abs(one.progress.lossSum - parts.progress.lossSum) < 1e-10)
    }
    #expect(distance(one.statistics, try trained(4, whole: false).statistics) > 1e-3)
  }

  /// The gradient of the whole batch's loss by central differences of a network in one piece.
  @Test func gradientsAreThoseOfTheLoss() throws {
    let network = try Self.network(Double.self)
    let values = network.initialValues(seed: 3)
    let data = Clouds.data(10, seed: 5)
    let batch = try BatchSource(data, batchSize: 10, normalization: nil).batch(0, as: Double.self)
    let cuts = [0..<3, 3..<4, 4..<10]
    let shards = ShardWorkspaces(3, of: network, on: NativeBackend(), threads: 1)
    var gradients = cuts.map { _ in network.zeros() }
    func gather(_ own: [[Double]]) -> [[Double]] { own }
    shards.forward(
      values,
      cuts.map {
        let part = batch.samples($0)
        return .init(part.inputs, part.labels, mode: .training(seed: 0))
      }, gather)
    shards.backward(values, into: &gradients, .gradients, gather)
    let whole = network.makeWorkspace(threads: 1)
    func loss(_ values: [Matrix<Double>]) -> Double {
      whole.forward(values, batch.inputs, batch.labels, mode: .training(seed: 0))
    }
    let h = 1e-5
    for p in values.indices {
      for k in stride(from: 0, to: values[p].count, by: 3) {
        let (i, j) = (k / values[p].columns, k % values[p].columns)
        var (above, below) = (values, values)
        above[p][i, j] += h
        below[p][i, j] -= h
        let slope = (loss(above) - loss(below)) / (2 * h)
        let sum = cuts.indices.reduce(0.0) { $0 + gradients[$1][p][i, j] * Double(cuts[$1].count) / 10 }
        // h² times the third derivative, and ε/h.
        #expect(abs(slope - sum) < 1e-7, "\(network.parameters[p].name) [\(i), \(j)]")
      }
    }
  }

  /// A channel of large numbers whose squares leave the range of the element type, in one shard of two.
  @Test func largeNumbersAreMerged() throws {
    let network = try Network<Float>(input: [1], [.batchNorm, .linear(2)])
    let values = network.initialValues(seed: 1)
    let inputs = Matrix<Float>(rows: 6, columns: 1) { i, _ in i < 3 ? Float(i) : 1e30 * Float(i) }
    let labels: [Int] = [0, 1, 0, 1, 0, 1]
    let shards = ShardWorkspaces(2, of: network, on: NativeBackend(), threads: 1)
    func gather(_ own: [[Double]]) -> [[Double]] { own }
    shards.forward(
      values,
      [0..<3, 3..<6].map {
        .init(inputs[rows: $0, columns: 0...], .classes(Array(labels[$0])), mode: .training(seed: 0))
      }, gather)
    let whole = network.makeWorkspace(threads: 1)
    whole.forward(values, inputs, .classes(labels), mode: .training(seed: 0))
    let outputs = shards.workspaces.flatMap { $0.outputs.array }
    for (x, y) in zip(outputs, whole.outputs.array) { #expect(abs(x - y) < 1e-5 && x.isFinite) }
  }

  /// What cannot pass beside one another is refused, and nothing has changed.
  @Test func theRestIsRefused() throws {
    let error = #expect(throws: TrainingError.self) {
      let _: Trainer<Float> = try Self.trainer(SGD()) { $0.microBatchSize = 2 }
    }
    #expect(error?.description.contains("micro-batches") == true)
    let trainer: Trainer<Double> = try Self.trainer(AdaHessian())
    let before = trainer.fingerprint
    #expect(throws: StepRefusal.self) { try trainer.step() }
    #expect(trainer.fingerprint == before)
  }

  /// A loss that is not finite in one shard is refused by all ranks alike.
  @Test func oneShardRefusesForAll() throws {
    let answers = try asRanks(3) { communicator in
      let trainer: Trainer<Float> = try Self.trainer(SGD(), communicator)
      trainer.values[4][0, 0] = .infinity
      let before = trainer.fingerprint
      do {
        try trainer.step()
        return "took a step"
      } catch { return trainer.fingerprint == before ? "\(error)" : "changed something" }
    }
    #expect(Set(answers).count == 1 && answers[0].contains("the loss is"), "\(answers)")
  }
}
