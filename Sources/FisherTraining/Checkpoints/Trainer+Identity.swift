import FisherLinearAlgebra
import FisherNetworks
import FisherOptimizers

extension Trainer {
  /// All that the bits of a run depend on beside its seed, as texts by what they are.
  ///
  /// Not the number of threads, which changes no bit; nor the limits on how long the run goes, which may change.
  var identity: [String: String] {
    var texts = [
      "network": network.description,
      "optimizer": driver.description,
      "training data": training.stream.map { "stream \($0.name) of \($0.count) batches" }
        ?? training.data.identity,
      "test data": test.data.identity,
      "batch size": "\(options.batchSize)",
      "micro-batch size": options.microBatchSize.map { "\($0)" } ?? "none",
      "schedule": options.schedule,
      "clipping": options.clipping.map { "\($0)" } ?? "as the optimizer asks",
      "averaging": options.averaging.map { "\($0)" } ?? "none",
      "augmentation": options.augmentations.map { "\($0)" }.joined(separator: ", "),
      "normalization": "\(options.normalizes)",
      "frozen statistics": "\(options.freezesStatistics)",
    ]
    if options.shards != 1 { texts["shards"] = "\(options.shards)" }
    if passesTogether { texts["batch norms"] = "of the whole batch" }
    if options.normalizesTargets { texts["target normalization"] = "true" }
    return texts
  }
}

extension Dataset {
  /// How many examples of what shape, and a hash of all their bits.
  package var identity: String {
    var hash = BitHash()
    switch storage {
    case .bytes(let bytes, let scale):
      hash.add(UInt64(scale.bitPattern))
      bytes.withUnsafeBytes { hash.add($0) }
    case .floats(let floats): floats.withUnsafeBytes { hash.add($0) }
    case .rows(let shared): hash = shared.summary.hash
    }
    switch targets {
    case .classes(let classes, let count):
      hash.add(UInt64(count))
      classes.withUnsafeBytes { hash.add($0) }
    case .values(let values, let width):
      hash.add(UInt64(width))
      values.withUnsafeBytes { hash.add($0) }
    case .inputs: break
    }
    return "\(count) examples of \(shape), hash \(hash.text)"
  }
}
