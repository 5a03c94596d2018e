import FisherCommandLine
import FisherKit

// The parts of a run that the texts describe. Whatever is wrong with one of them is one line.

extension RunConfiguration {
  func optimizer() throws -> any Optimizer {
    let registry = try OptimizerRegistry.installed(plugin: self["plugin"].isEmpty ? nil : self["plugin"])
    let (type, texts) = try registry.composition(self["optimizer"])
    return type.init(settings: try Settings(type.record, parsing: texts.merging(settings) { $1 }))
  }

  /// The groups, each of which must fit one of the parameters.
  func groups(for optimizer: any Optimizer, _ parameters: [ParameterInfo]) throws -> [ParameterGroup] {
    if groups.isEmpty { return [] }
    let registry = try OptimizerRegistry.installed(plugin: self["plugin"].isEmpty ? nil : self["plugin"])
    return try groups.map {
      try $0.requireFit(parameters)
      return try $0.group(registry, for: optimizer)
    }
  }

  func backend() throws -> any Backend {
    self["backend"] == "native" ? NativeBackend() : try CBLASBackend(library: self["backend"])
  }

  func options(threads: Int) throws -> TrainingOptions {
    var options = TrainingOptions()
    options.epochs = try integer("epochs")
    options.batchSize = try integer("batch")
    options.microBatchSize = try optionalInteger("micro-batch")
    options.shards = try integer("shards")
    options.seed = UInt64(try integer("seed", from: 0, to: .max))
    options.schedule = self["schedule"]
    options.augmentations = try Augmentation.parse(self["augment"])
    options.patience = try optionalInteger("patience")
    options.averaging = try number("average", .halfOpen(0, 1))
    options.threads = threads
    guard ["yes", "no"].contains(self["frozen"]) else {
      throw UsageError("--frozen: '\(self["frozen"])' is neither yes nor no")
    }
    options.freezesStatistics = self["frozen"] == "yes"
    guard ["shard", "batch"].contains(self["batch-norm"]) else {
      throw UsageError("--batch-norm: '\(self["batch-norm"])' is neither shard nor batch")
    }
    options.normsSeeWholeBatch = self["batch-norm"] == "batch"
    options.seconds = try number("seconds", .positive)
    let value = try number("clip-value", .positive)
    let isUnbounded = self["clip-norm"] == "none"
    let norm = isUnbounded ? nil : try number("clip-norm", .positive)
    if value != nil && (norm != nil || isUnbounded) {
      throw UsageError("--clip-norm and --clip-value exclude each other")
    }
    options.clipping =
      value.map { .value($0) } ?? norm.map { .norm($0) } ?? (isUnbounded ? Clipping.none : nil)
    // The squared loss is then in units of the targets' variance.
    options.normalizesTargets = TargetKind(self["target"]) != .classes
    return options
  }

  /// A run that has not begun, its options complete: with weights of another run, if it wants some.
  mutating func trainer<S: KernelScalar>(
    _: S.Type, threads: Int, checksRanks: Bool = false, overlap: SumOverlap = .auto,
    communicator: any Communicator = SingleProcess()
  ) throws -> (trainer: Trainer<S>, data: DataSplit, optimizer: any Optimizer) {
    let optimizer = try optimizer()
    let backend = try backend()
    let data = try data(sharedBy: communicator)
    complete(for: data, type(of: optimizer).record, ranks: communicator.size)
    var options = try options(threads: threads)
    options.checksRanks = checksRanks
    options.overlap = overlap
    let network = try network(for: data, S.self)
    options.groups = try groups(for: optimizer, network.parameters)
    let trainer = try Trainer(
      network, data, optimizer: optimizer, options: options, registry: .installed, backend: backend,
      communicator: communicator)
    return (trainer, data, optimizer)
  }

  /// The data of the set's name; for an autoencoder each example is its own target.
  ///
  /// - Parameter ranks: that read together what they can.
  func data(sharedBy ranks: (any Communicator)? = nil) throws -> DataSplit {
    guard let kind = TargetKind(self["target"]) else {
      throw UsageError("--target: '\(self["target"])' has an empty name")
    }
    let data = try DataSplit.named(self["dataset"], as: kind, sharedBy: ranks)
    let isAutoencoder = self["model"].isEmpty ? false : try ModelSpec(self["model"]).isAutoencoder
    return isAutoencoder ? data.reconstructing : data
  }

  /// The network of the model's text.
  func network<S: KernelScalar>(for data: DataSplit, _: S.Type) throws -> Network<S> {
    let shape = data.train.shape
    let outputs = data.train.outputCount
    let input: SampleShape = shape.isImage ? [shape.channels, shape.height, shape.width] : [shape.count]
    let layers = try ModelSpec(self["model"]).layers(
      input: input, outputs: outputs, vocabulary: data.train.vocabulary)
    return try Network<S>(input: input, layers, loss: try loss(for: data))
  }

  private func loss(for data: DataSplit) throws(UsageError) -> Loss<MeanReduction> {
    switch (self["loss"], data.train.targets) {
    case ("softmax", .classes): return .softmaxCrossEntropy()
    case ("squared", .inputs), ("squared", .values): return .squaredError
    case ("binary", .inputs):
      if data.train.isUnitScaled && data.test.isUnitScaled { return .binaryCrossEntropy }
      throw UsageError("--loss: binary needs numbers in [0, 1], \(data.train.name) has others")
    case ("softmax", _), ("squared", _), ("binary", _):
      let targets =
        switch data.train.targets {
        case .inputs: "its inputs as targets"
        case .classes: "classes"
        case .values: "numbers as targets"
        }
      throw UsageError("--loss: '\(self["loss"])' does not fit \(data.train.name), which has \(targets)")
    default: throw UsageError("--loss: '\(self["loss"])' is none of softmax, binary, squared")
    }
  }
}
