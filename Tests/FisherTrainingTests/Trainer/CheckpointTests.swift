import FisherLinearAlgebra
import FisherNetworks
import FisherOptimizers
import FisherPluginAdaFisher
import FisherPluginFirstOrder
import FisherTraining
import Foundation
import Testing

/// The end of a process in the middle of a run.
private struct Interruption: Error {}

@Suite struct CheckpointTests {
  private func make<S: KernelScalar>(
    _: S.Type, _ optimizer: any Optimizer, seed: UInt64 = 1, batch: Int = 8, _ network: Network<S>? = nil
  ) throws -> Trainer<S> {
    try Trainer(
      network ?? Clouds.normalized(S.self), Clouds.split(), optimizer: optimizer,
      options: Clouds.options {
        $0.seed = seed
        $0.batchSize = batch
        $0.averaging = 0.9
      })
  }

  private static let optimizers: [@Sendable () throws -> any Optimizer] = [
    { try AdaFisher(["variant": "official", "refresh": 4]) }, { AdaFisherW() }, { AdamW() },
    { Adafactor() }, { try SGD(["nesterov": true]) },
  ]

  /// Interrupted anywhere, in the middle of an epoch and at its end, a run goes on with the same bits.
  @Test(arguments: [0, 1, 5, 7, 16, 34])
  func resumesWithTheSameBits(steps: Int) throws {
    for make in Self.optimizers {
      try resumes(Float.self, make, steps)
      try resumes(Double.self, make, steps)
    }
  }

  /// The masks of attention follow from the step, as all others do.
  @Test func attentionResumesWithTheSameBits() throws {
    let network = try Network<Float>(
      input: [4, 1], [.linear(6), .attentionWithDropout(0.3, heads: 2), .flatten, .linear(3)])
    try resumes(Float.self, { AdamW() }, 5, network)
  }

  private func resumes<S: KernelScalar>(
    _: S.Type, _ optimizer: () throws -> any Optimizer, _ steps: Int, _ network: Network<S>? = nil
  ) throws {
    let name = type(of: try optimizer()).record.name
    let whole = try make(S.self, optimizer(), network)
    var reports: [EpochReport] = []
    let expected = try whole.run { if case .epoch(let report) = $0 { reports.append(report) } }

    let folder = TemporaryFolder()
    let first = try make(S.self, optimizer(), network)
    var taken = 0
    if steps > 0 {
      #expect(throws: Interruption.self) {
        try first.run { _ in
          taken += 1
          if taken == steps { throw Interruption() }
        }
      }
    }
    try first.save(to: folder.path, configuration: ["a": "b"])
    let checkpoint = try Checkpoint(in: folder.path)
    #expect(checkpoint.configuration == ["a": "b"])

    let second = try make(S.self, optimizer(), network)
    try second.resume(from: checkpoint)
    #expect(second.progress == first.progress && second.state.fingerprint == first.state.fingerprint)
    let result = try second.run {
      if case .epoch(let report) = $0 {
        let expected = reports[report.epoch - 1]
        #expect(
          report.trainLoss == expected.trainLoss && report.test == expected.test
            && report.step == expected.step)
      }
    }
    #expect(result.parametersHash == expected.parametersHash, "\(name), \(steps) steps")
    #expect(second.state.fingerprint == whole.state.fingerprint)
    #expect(
      result.bestTestAccuracy == expected.bestTestAccuracy && result.finalTrainLoss == expected.finalTrainLoss
    )
  }

  /// Weights for other programs: the tested ones, under their names and shapes.
  @Test func exportsTheTestedWeights() throws {
    let folder = TemporaryFolder()
    let trainer = try make(Float.self, AdamW())
    try trainer.step()
    try trainer.save(to: folder.path + "/deep/er")
    let weights = try Safetensors(contentsOf: folder.path + "/deep/er/weights.safetensors")
    #expect(
      weights.names == [
        "layers.0.bias", "layers.0.weight", "layers.1.bias", "layers.1.runningMean",
        "layers.1.runningVariance",
        "layers.1.weight", "layers.4.bias", "layers.4.weight",
      ])
    #expect(weights.shape("layers.0.weight") == [9, 4] && weights.shape("layers.0.bias") == [9])
    let tested = zip(trainer.network.parameters, trainer.testedValues)
    for (parameter, value) in tested {
      let stored: Matrix<Float>? = weights.matrix(
        parameter.name, rows: parameter.rows, columns: parameter.columns)
      #expect(stored == value)
    }
  }

  @Test func foreignCheckpointsAreRefusedAndChangeNothing() throws {
    let folder = TemporaryFolder()
    let writer = try make(Float.self, AdamW())
    for _ in 0..<3 { try writer.step() }
    try writer.save(to: folder.path)
    let checkpoint = try Checkpoint(in: folder.path)

    func refusal<S: KernelScalar>(_ trainer: Trainer<S>) throws -> String {
      let (hash, state, progress) = (trainer.parametersHash, trainer.state.fingerprint, trainer.progress)
      let error = #expect(throws: FileError.self) { try trainer.resume(from: checkpoint) }
      #expect(trainer.parametersHash == hash && trainer.state.fingerprint == state)
      #expect(trainer.progress.epoch == progress.epoch && trainer.progress.batch == progress.batch)
      return error?.reason ?? ""
    }
    #expect(try refusal(make(Double.self, AdamW())).contains("weights/layers.0.weight is [9, 4] in F32"))
    #expect(try refusal(make(Float.self, AdamW(), seed: 2)) == "its seed is 1, this run's 2")
    #expect(try refusal(make(Float.self, AdamW(), batch: 50)) == "its batch size is 8, this run's 50")
    let wider = try Network<Float>(input: [4], [.linear(10), .relu, .linear(3)])
    let longer = try Network<Float>(input: [4], [.linear(9), .relu, .linear(9), .relu, .linear(3)])
    for (network, message) in [
      (wider, "weights/layers.0.weight is [9, 4] in F32, this run needs [10, 4] in F32"),
      (longer, "it has no weights/layers.2.weight"),
    ] {
      let trainer = try Trainer(
        network, Clouds.split(), optimizer: AdamW(), options: Clouds.options())
      #expect(try refusal(trainer) == message)
    }
  }

  @Test func brokenCheckpointsAreRefused() throws {
    let folder = TemporaryFolder()
    #expect(throws: FileError.self) { try Checkpoint(in: folder.path) }
    let writer = try make(Float.self, AdamW())
    try writer.save(to: folder.path)
    let path = folder.path + "/checkpoint.safetensors"
    let bytes = try FileBytes.read(path)
    for length in stride(from: 0, to: bytes.count, by: 97) {
      try folder.write("checkpoint.safetensors", Array(bytes.prefix(length)))
      #expect(throws: FileError.self, "\(length) bytes") { try Checkpoint(in: folder.path) }
    }
    // A safetensors file of somebody else.
    try FileManager.default.removeItem(atPath: path)
    try FileManager.default.copyItem(atPath: folder.path + "/weights.safetensors", toPath: path)
    let error = #expect(throws: FileError.self) { try Checkpoint(in: folder.path) }
    #expect(error?.reason == "its format is 'fisher-weights 1', this version reads 'fisher-checkpoint 2'")
  }

  /// A save that fails leaves the old checkpoint whole.
  @Test func failedSavesKeepTheOldCheckpoint() throws {
    let folder = TemporaryFolder()
    let trainer = try make(Float.self, AdamW())
    try trainer.step()
    try trainer.save(to: folder.path)
    let old = try FileBytes.read(folder.path + "/checkpoint.safetensors")
    try trainer.step()
    // The weights cannot be replaced: a folder has their name.
    try FileManager.default.removeItem(atPath: folder.path + "/weights.safetensors")
    try FileManager.default.createDirectory(
      atPath: folder.path + "/weights.safetensors/x", withIntermediateDirectories: true)
    #expect(throws: FileError.self) { try trainer.save(to: folder.path) }
    #expect(try FileBytes.read(folder.path + "/checkpoint.safetensors") == old)
    #expect(throws: FileError.self) { try trainer.save(to: folder.path + "/checkpoint.safetensors/below") }
  }
}
