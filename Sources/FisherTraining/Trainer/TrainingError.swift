import FisherLinearAlgebra
import FisherNetworks
import FisherOptimizers
import FisherRuntime

/// A run that cannot be: the network does not fit the data, or an option makes no sense.
public struct TrainingError: Error, Equatable, CustomStringConvertible {
  public let description: String

  static func check<S: KernelScalar>(
    _ network: Network<S>, _ data: DataSplit, _ options: TrainingOptions, ranks: Int
  ) throws(TrainingError) {
    func require(_ condition: Bool, _ message: @autoclosure () -> String) throws(TrainingError) {
      if !condition { throw TrainingError(description: message()) }
    }
    let name = data.train.name
    try require(data.train.count > 0 && data.test.count > 0, "\(name): no examples to train or to test with")
    try require(
      network.input.count == data.train.shape.count,
      "the network takes \(network.input) and \(name) has \(data.train.shape)")
    let outputs = data.train.outputCount
    try require(
      network.output.count == outputs, "the network gives \(network.output), \(name) wants \(outputs) numbers"
    )
    let answers = data.train.answers
    try require(
      data.train.classCount == nil || network.output.positions == answers,
      "the network gives \(network.output), \(name) wants \(answers) answers to an example")
    try require(
      data.train.answers == data.test.answers && data.train.outputCount == data.test.outputCount,
      "\(name): \(outputs) numbers are wanted in the training and \(data.test.outputCount) in the test")
    try checkTargets(data, require)
    try require(options.epochs >= 1, "epochs is \(options.epochs); it must be at least 1")
    try require(options.batchSize >= 1, "a batch of \(options.batchSize); it must have at least one sample")
    if let size = options.microBatchSize {
      try require(size >= 1, "a micro-batch of \(size); it must have at least one sample")
    }
    try require(options.shards >= 1, "\(options.shards) shards; there must be at least one")
    try require(
      options.shards == 1 || options.shards <= options.batchSize,
      "\(options.shards) shards of a batch of \(options.batchSize); each must have at least one sample")
    try require(
      options.shards >= ranks,
      "\(options.shards) shard\(options.shards == 1 ? "" : "s") for \(ranks) ranks; each must have at least one"
    )
    try require(
      !options.normsSeeWholeBatch || options.microBatchSize == nil,
      "micro-batches pass one after the other, so batch norms cannot see the whole batch")
    if let factor = options.averaging {
      try require(factor >= 0 && factor < 1, "averaging is \(factor); it must lie in [0, 1)")
    }
    if let patience = options.patience {
      try require(patience >= 1, "patience is \(patience); it must be at least 1")
    }
    try require(options.threads >= 1, "threads is \(options.threads); it must be at least 1")
    let samples = min(options.microBatchSize ?? options.batchSize, data.train.count)
    let bytes = network.leastNumbers(samples: samples) * Double(MemoryLayout<S>.stride)
    if let shortage = MachineMemory.shortage(bytes) {
      throw TrainingError(description: "training with batches of \(samples) samples \(shortage)")
    }
    if !data.train.shape.isImage {
      try require(options.augmentations.isEmpty, "\(name) has no images that could be augmented")
    }
    switch options.clipping ?? Clipping.none {
    case .none: break
    case .value(let limit), .norm(let limit):
      try require(limit > 0 && limit.isFinite, "the limit of clipping is \(limit); it must be positive")
      try require(
        S(limit) > 0 && S(limit).isFinite,
        "the limit of clipping is \(limit), which becomes \(S(limit)) in \(S.self), the element type of the run"
      )
    }
  }

  /// The network has what its optimizers ask for in the first step.
  static func check<S: KernelScalar>(
    _ driver: OptimizerDriver<S>, _ network: Network<S>
  ) throws(TrainingError) {
    let need = Needs.hessianProducts
    guard let layer = network.layersWithoutSecondDerivatives.first,
      let optimizer = driver.optimizer(needing: need)
    else { return }
    throw TrainingError(
      description: "\(optimizer) needs \(need), and the layer \(layer) has no second derivatives")
  }

  /// There is something to tell apart, and nothing in the test that was never seen.
  private static func checkTargets(
    _ data: DataSplit, _ require: (Bool, @autoclosure () -> String) throws(TrainingError) -> Void
  ) throws(TrainingError) {
    let name = data.train.name
    try require(
      data.train.classCount == data.test.classCount,
      "\(name): \(data.train.classCount ?? 0) classes in the training and \(data.test.classCount ?? 0) in the test"
    )
    guard case .classes(let learned, _) = data.train.targets,
      case .classes(let tested, _) = data.test.targets,
      data.stream == nil
    else { return }
    let known = Set(learned).subtracting([-1])
    try require(
      known.count >= 2,
      "\(name): all \(learned.count) training examples have the class \(learned.first ?? 0); there is nothing to learn"
    )
    let strange = Set(tested).subtracting(known).subtracting([-1]).sorted()
    try require(
      strange.isEmpty, "\(name): the test has class \(strange.first ?? 0), of which no training example is")
  }
}
