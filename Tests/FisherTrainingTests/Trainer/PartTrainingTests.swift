import FisherKit
import FisherTestSupport
import Testing

/// Runs with parts around a method are runs like others: however batches are cut, on any threads, and resumed.
@Suite struct PartTrainingTests {
  static let parts = OptimizerRegistry.builtIn.partNames + ["graft(lion)"]

  /// Around gradient descent with a part whose bounds and periods are reached.
  private func trainer<S: KernelScalar>(
    _: S.Type, _ part: String, _ network: Network<S>, _ data: DataSplit = Clouds.split(),
    _ change: (inout TrainingOptions) -> Void = { _ in }
  ) throws -> Trainer<S> {
    let type = try OptimizerRegistry.builtIn.type("sgd + " + part)
    let optimizer = try type.init(type.record.probes[0].merging(["lr": 0.05, "momentum": 0.5]) { $1 })
    return try Trainer(network, data, optimizer: optimizer, options: Clouds.options(change))
  }

  /// Sums of parts are rounded otherwise than those of the whole, and nothing else differs: not the bits of a batch that is
  /// one micro-batch.
  @Test(arguments: parts) func microBatchesAreTheBatch(part: String) throws {
    func run(_ size: Int?) throws -> Trainer<Double> {
      let trainer = try trainer(Double.self, part, try Clouds.network(Double.self)) {
        $0.microBatchSize = size
        $0.epochs = 2
      }
      _ = try trainer.run()
      return trainer
    }
    let whole = try run(nil)
    #expect(try run(8).parametersHash == whole.parametersHash)
    let cut = try run(3)
    for (a, b) in zip(whole.testedValues, cut.testedValues) {
      for (x, y) in zip(a.array, b.array) { #expect(abs(x - y) < 1e-11, "\(part)") }
    }
  }

  /// Layers of several pieces, so that threads have something to share.
  @Test(arguments: parts) func threadsChangeNoBit(part: String) throws {
    let data = Clouds.split(train: 60)
    func hash(_ threads: Int) throws -> String {
      let network = try Network<Float>(input: [4], [.linear(260), .relu, .linear(260), .relu, .linear(3)])
      let trainer = try trainer(Float.self, part, network, data) {
        $0.threads = threads
        $0.batchSize = 20
        $0.epochs = 1
      }
      return "\(try trainer.run().parametersHash) \(trainer.state.fingerprint)"
    }
    let one = try hash(1)
    for threads in [2, 5] { #expect(try hash(threads) == one, "\(part) on \(threads) threads") }
  }

  /// Through a file in the middle of an epoch.
  @Test(arguments: parts) func resumedRunsHaveTheSameBits(part: String) throws {
    func fresh() throws -> Trainer<Float> {
      try trainer(Float.self, part, try Clouds.normalized(Float.self))
    }
    let (whole, first, second) = (try fresh(), try fresh(), try fresh())
    for _ in 0..<12 { try whole.step() }
    for _ in 0..<5 { try first.step() }
    let folder = TemporaryFolder()
    try first.save(to: folder.path)
    try second.resume(from: try Checkpoint(in: folder.path))
    #expect(second.testedValues == first.testedValues)
    for _ in 0..<7 { try second.step() }
    #expect(second.parametersHash == whole.parametersHash)
    #expect(second.state.fingerprint == whole.state.fingerprint && second.testedValues == whole.testedValues)
  }
}
