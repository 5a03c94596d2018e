import FisherLinearAlgebra
public import FisherOptimizers
import FisherRuntime

/// How a run goes, apart from its network, its data and its optimizer.
public struct TrainingOptions: Sendable {
  public var epochs = 20
  /// The samples of a step.
  public var batchSize = 64
  /// Samples that pass through the network at once; a step of more adds their gradients up. Nil for the whole batch.
  public var microBatchSize: Int?
  /// Parts of a batch that pass through the network by themselves and are added up in a fixed order, so that any number of
  /// ranks, up to this one, gives the same bits. Batch norms see a shard; their averages are those of the shards together.
  public var shards = 1
  /// Batch norms see the whole batch, whatever its shards: these pass beside one another, which takes the memory of all of
  /// a rank's shards at once.
  public var normsSeeWholeBatch = false
  /// Whether ranks sum gradients and factors while they go on computing; no bit depends on it.
  public var overlap = SumOverlap.auto
  /// The least bytes that ranks sum at once beside computing: the latency of a network is little beside them, and what a pass
  /// ends with is not much more.
  package var bucketBytes = 1 << 20
  /// After every step all ranks compare a hash of weights and state.
  public var checksRanks = false
  /// Weights, order, augmentation and masks all follow from it.
  public var seed: UInt64 = 1
  /// As text, because its lengths count in epochs: `Schedule.spellings`.
  public var schedule = "cosine"
  /// Nil for that of the optimizer's record.
  public var clipping: Clipping?
  /// The factor of the running average of the weights, which is then what is tested; nil for none.
  public var averaging: Double?
  public var augmentations: [Augmentation] = []
  /// Inputs are shifted and scaled by the mean and deviation of the training data. Never if they are the targets too.
  public var normalizes = true
  /// The target numbers of a regression are shifted and scaled likewise: losses are in units of their variance, and
  /// ``Trainer/predict(_:)-(Dataset)`` gives numbers in the units of the data.
  public var normalizesTargets = false
  /// Gradients are those of the network as it is tested: batch norms keep their running averages, dropout drops nothing.
  /// Methods that need the gradients of single samples need it for batch norms.
  public var freezesStatistics = false
  /// Stop after so many epochs without a better test; nil for never.
  public var patience: Int?
  /// No epoch begins after so many seconds of training, those of earlier processes included; nil for no limit.
  public var seconds: Double?
  public var groups: [ParameterGroup] = []
  public var threads = Threads.available

  public init() {}
}

/// When ranks sum gradients and factors while they go on computing.
public enum SumOverlap: String, Sendable, CaseIterable {
  /// Between machines, if every rank has fewer threads than cores: what waits for a message may take a core for that. Not on
  /// one machine, where a sum is work of the cores that compute.
  case auto
  /// Wherever the ranks can.
  case on
  case off
}
