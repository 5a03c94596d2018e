import FisherLinearAlgebra
import FisherNetworks
import FisherOptimizers

extension Trainer {
  /// All that the bits of a run depend on beside its seed, as texts by what they are.
  ///
  /// Not the number of threads, which changes no bit; nor the limits on how long the run goes, which may change.
  var identity: [String: String] {
    // Statement by statement: as one literal with closures in it, it took longer to type-check than the rest of the module.
    var texts: [String: String] = [:]
    texts["network"] = network.description
    texts["optimizer"] = driver.description
    if let stream = training.stream {
      texts["training data"] = "stream \(stream.name) of \(stream.count) batches"
    } else {
      texts["training data"] = training.data.identity
    }
    texts["test data"] = test.data.identity
    texts["batch size"] = "\(options.batchSize)"
    texts["micro-batch size"] = text(options.microBatchSize, ifNil: "none")
    texts["schedule"] = options.schedule
    texts["clipping"] = text(options.clipping, ifNil: "as the optimizer asks")
    texts["averaging"] = text(options.averaging, ifNil: "none")
    texts["augmentation"] = options.augmentations.map { "\($0)" }.joined(separator: ", ")
    texts["normalization"] = "\(options.normalizes)"
    texts["frozen statistics"] = "\(options.freezesStatistics)"
    if options.shards != 1 { texts["shards"] = "\(options.shards)" }
    if passesTogether { texts["batch norms"] = "of the whole batch" }
    if options.normalizesTargets { texts["target normalization"] = "true" }
    return texts
  }

  private func text<Value>(_ value: Value?, ifNil other: String) -> String { value.map { "\($0)" } ?? other }
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
