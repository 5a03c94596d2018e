import FisherLinearAlgebra
import FisherNetworks
import FisherOptimizers
import FisherPluginFirstOrder
import FisherTestSupport
import FisherTraining
import Testing

/// Whatever stands in a checkpoint: an error, and the run is as it was; or a run that can go on.
@Suite struct CheckpointFuzzTests {
  private func trainer(_ optimizer: any Optimizer) throws -> Trainer<Float> {
    try Trainer(
      try Network<Float>(input: [4], [.linear(3)]), Clouds.split(), optimizer: optimizer,
      options: Clouds.options { $0.averaging = 0.9 })
  }

  /// A run of two steps, and one of seven, as files in memory.
  private func corpus() throws -> [[UInt8]] {
    try [2, 7].map { steps in
      let writer = try trainer(Adam())
      for _ in 0..<steps { try writer.step() }
      let folder = TemporaryFolder()
      try writer.save(
        to: folder.path, configuration: ["schedule": "cosine", "model": "mlp:4-3", "set.lr": "1e-3"])
      return try FileBytes.read(folder.path + "/" + Checkpoint.name)
    }
  }

  /// Flipped bits, truncations, splices: the checksum notices all that the format does not.
  @Test func onlyIntactBytesAreRead() throws {
    let files = try corpus()
    fuzz("checkpoint bytes", files) { bytes in
      _ = try Checkpoint(decoding: bytes, from: "checkpoint")
      precondition(files.contains(bytes), "a change went unnoticed")
    }
  }

  /// What was changed and sealed again, with the right checksum.
  @Test func sealedContentsAreValidated() throws {
    let files = try corpus().map { try Safetensors(decoding: $0, from: "checkpoint") }
    let texts = files.flatMap { $0.metadata.values.map { Array($0.utf8) } }
    let trainer = try trainer(Adam())
    let accepted = fuzz("checkpoint contents", texts) { input in
      var hash = BitHash()
      input.withUnsafeBytes { hash.add($0) }
      var generator = Generator(seed: hash.value)
      var file = generator.pick(files)
      for _ in 0..<Int.random(in: 1...2, using: &generator) {
        change(&file, String(decoding: input, as: UTF8.self), files, &generator)
      }
      let checkpoint = try Checkpoint(decoding: Checksum.sealed(file), from: "checkpoint")
      for (key, text) in checkpoint.configuration {
        switch key {
        case "schedule": _ = try Schedule(parsing: text, stepsPerEpoch: 4, epochs: 3)
        case "model": _ = try ModelSpec(text).layers(input: [4], outputs: 3)
        default: _ = try Settings(Adam.record, parsing: ["lr": text])
        }
      }
      let before = (trainer.values, trainer.state.stepCount)
      do { try trainer.resume(from: checkpoint) } catch {
        precondition(
          before.0 == trainer.values && before.1 == trainer.state.stepCount, "a refusal changed the run")
        throw error
      }
      precondition(trainer.values.allSatisfy { $0.array.allSatisfy(\.isFinite) })
      // The step may be refused, for a moment that is negative, and must end.
      if hash.value % 8 == 0 { _ = try trainer.step() }
    }
    #expect(accepted > 1000)
  }

  /// Texts, tensors and names are exchanged, removed, renamed, or replaced.
  private func change(
    _ file: inout Safetensors, _ text: String, _ files: [Safetensors], _ generator: inout Generator
  ) {
    let keys = file.metadata.keys.sorted()
    let (key, other) = (generator.pick(keys), generator.pick(keys))
    let (name, second) = (generator.pick(file.names), generator.pick(file.names))
    switch Int.random(in: 0..<9, using: &generator) {
    case 0: file.metadata[key] = text
    case 1: (file.metadata[key], file.metadata[other]) = (file.metadata[other], file.metadata[key])
    case 2: file.metadata[key] = nil
    case 3: file.metadata[text] = file.metadata[key]
    case 4: (file.tensors[name], file.tensors[second]) = (file.tensors[second], file.tensors[name])
    case 5: file.tensors[generator.pick(["state/", "weights/", ""]) + text] = file.tensors[name]
    case 6: file.tensors[name] = generator.pick(files).tensors[second]
    case 7:
      guard let tensor = file.tensors[name], !tensor.bytes.isEmpty else { return }
      var bytes = tensor.bytes
      bytes[Int.random(in: 0..<bytes.count, using: &generator)] ^=
        1 << UInt8.random(in: 0..<8, using: &generator)
      file.tensors[name] = StoredTensor(type: tensor.type, shape: tensor.shape, bytes: bytes)
    default:
      guard let tensor = file.tensors[name] else { return }
      file.tensors[name] = StoredTensor(
        type: generator.pick(["F32", "F64", tensor.type]), shape: tensor.shape.reversed(), bytes: tensor.bytes
      )
    }
  }
}
