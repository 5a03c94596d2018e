import FisherCurvature
public import FisherDistributed
public import FisherLinearAlgebra
public import FisherNetworks
public import FisherOptimizers
import FisherRuntime

/// Trains a network on data with an optimizer.
///
///     let trainer = try Trainer(network, data, optimizer: AdamW(), options: options)
///     let result = try trainer.run()
///
/// Or step by step: `while !trainer.isFinished { try trainer.step() }`.
///
/// The same seed gives the same bits, whatever the number of threads and however often the run was interrupted. Not for
/// use from two threads at once.
public final class Trainer<Scalar: KernelScalar> {
  public let network: Network<Scalar>
  public let options: TrainingOptions
  /// The weights, in the order of the network's parameters.
  public package(set) var values: [Matrix<Scalar>]
  public internal(set) var progress = TrainingProgress()

  package var driver: OptimizerDriver<Scalar>
  let workspace: Workspace<Scalar>
  /// Where the shards of a batch pass beside one another, and the gradients of each.
  var together: (workspaces: ShardWorkspaces<Scalar>, gradients: [[Matrix<Scalar>]])?
  /// Where fallbacks are found.
  let registry: OptimizerRegistry
  /// The ranks that train together.
  let communicator: any Communicator
  /// Whether gradients and factors are summed over the ranks while they are computed.
  public let sumsBesidePasses: Bool
  /// What sums beside the passes, made when it is first wanted.
  lazy var communicationThread = CommunicationThread()
  package let training: BatchSource
  let test: BatchSource
  var gradients: [Matrix<Scalar>]
  /// Of the last epoch that this object has ended.
  var lastEpoch: EpochReport?
  /// The order of the epoch that runs.
  private var order: (epoch: Int, places: [Int]) = (-1, [])

  /// A run that has not begun: weights as the network initialises them from the seed of the options.
  ///
  /// - Parameters:
  ///   - network: what is trained.
  ///   - data: what it is trained and tested with.
  ///   - optimizer: with its settings.
  ///   - options: batch size, epochs, schedule and the like.
  ///   - registry: where the fallback of an optimizer that does not treat all parameters is found.
  ///   - backend: what carries out the linear algebra.
  ///   - communicator: the ranks that train together; all make their trainers alike. This process alone by default.
  /// - Throws: ``TrainingError``, `ScheduleError`, `SettingsError`, `RegistryError` or `CommunicationError`.
  public init(
    _ network: Network<Scalar>, _ data: DataSplit, optimizer: any Optimizer,
    options: TrainingOptions = TrainingOptions(), registry: OptimizerRegistry = OptimizerRegistry(),
    backend: any Backend = NativeBackend(), communicator: any Communicator = SingleProcess()
  ) throws {
    try TrainingError.check(network, data, options, ranks: communicator.size)
    self.communicator = communicator
    sumsBesidePasses = try Self.overlaps(options, communicator)
    self.network = network
    self.options = options
    self.registry = registry
    let (normalization, targetNormalization) = Self.normalizations(data, options)
    training = BatchSource(
      data.train, batchSize: options.batchSize, normalization: normalization,
      targetNormalization: targetNormalization, augmentations: options.augmentations, seed: options.seed,
      stream: data.stream)
    test = BatchSource(
      data.test, batchSize: options.microBatchSize ?? max(options.batchSize, 256),
      normalization: normalization, targetNormalization: targetNormalization)
    let schedule = try Schedule(
      parsing: options.schedule, stepsPerEpoch: training.batchCount, epochs: Double(options.epochs))
    driver = try OptimizerDriver(
      optimizer, parameters: network.parameters, groups: options.groups, registry: registry,
      schedule: schedule, clipping: options.clipping ?? type(of: optimizer).record.clipping,
      averaging: options.averaging, backend: backend,
      threads: options.threads)
    try TrainingError.check(driver, network)
    values = network.initialValues(seed: options.seed)
    gradients = network.zeros()
    workspace = network.makeWorkspace(on: backend, threads: options.threads)
  }

  /// Those of inputs and of target numbers, from the training data. Tokens, and inputs that are targets, stay as they are.
  private static func normalizations(
    _ data: DataSplit, _ options: TrainingOptions
  ) -> (inputs: Normalization?, targets: Normalization?) {
    let train = data.train
    if data.stream != nil || train.targets == .inputs { return (nil, nil) }
    var targets: Normalization?
    if options.normalizesTargets, case .values(let values, let width) = train.targets {
      targets = Normalization(values, width: width)
    }
    return (options.normalizes && train.isNormalizable ? Normalization(train) : nil, targets)
  }

  public var stepsPerEpoch: Int { training.batchCount }

  /// For each parameter that the run's optimizer does not update, who does.
  public var log: [String] { driver.log }

  /// The running averages of batch norms, in the order of the network's names for them.
  public var statistics: [Matrix<Scalar>] { workspace.statistics }

  /// The state of the optimizer.
  public var state: OptimizerState<Scalar> { driver.state }

  /// What is tested and exported: the weights, their running average if the run keeps one, or what the optimizer keeps for
  /// that.
  public var testedValues: [Matrix<Scalar>] { driver.averages ?? driver.tested(values) }

  /// A hash of the bits of all weights.
  public var parametersHash: String {
    var hash = BitHash()
    for (value, parameter) in zip(values, network.parameters) {
      hash.add(parameter.name)
      hash.add(value)
    }
    return hash.text
  }

  /// Takes the next step of the run. The last step of an epoch is followed by the test, and ends the epoch; after the
  /// last epoch another one begins.
  ///
  /// - Throws: `StepRefusal`; then weights, state and progress are as before.
  @discardableResult
  public func step() throws(StepRefusal) -> StepReport {
    let start = Self.now
    let report = try train()
    progress.seconds += Self.now - start
    if progress.batch == stepsPerEpoch { try endEpoch() }
    return report
  }

  /// A step without the end of the epoch.
  @specialized(where Scalar == Float) @specialized(where Scalar == Double)
  private func train() throws(StepRefusal) -> StepReport {
    let underflow = Underflow.set(.toZero)
    defer { Underflow.set(underflow) }
    if order.epoch != progress.epoch {
      order = (progress.epoch, training.order(epoch: progress.epoch))
    }
    let examples = training.examples(progress.batch, of: order.places, epoch: progress.epoch)
    let cut = ShardedBatch(samples: examples.count, shards: options.shards, communicator, overlap: overlap)
    let batch: Batch<Scalar>
    do { batch = try examples.batch(cut.ownSamples, as: Scalar.self) } catch { throw StepRefusal(error) }
    let statistics = workspace.statistics
    defer {
      workspace.releaseBatch()
      together?.workspaces.workspaces.forEach { $0.releaseBatch() }
    }
    let (objective, report): (BatchObjective<Scalar>, StepReport)
    do {
      objective = try pass(batch, cut)
      report = try driver.step(values: &values, gradients: &gradients, objective: objective)
    } catch {
      workspace.statistics = statistics
      throw error
    }
    progress.add(loss: objective.loss, terms: objective.sampleCount)
    progress.events.merge(report.events, uniquingKeysWith: +)
    if options.checksRanks { try checkRanks() }
    return report
  }

  /// The key of everything random in a step beside its batch.
  var maskSeed: UInt64 {
    var generator = KeyedGenerator(options.seed, Purpose.masks, UInt64(driver.stepCount))
    return generator.next()
  }
}
