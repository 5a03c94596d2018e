import FisherRuntime

/// What is learned from, and what is tested with.
public struct DataSplit: Sendable {
  public let train: Dataset
  public let test: Dataset
  /// Where the batches for training come from, if not from `train`.
  let stream: BatchStream?

  public init(train: Dataset, test: Dataset) {
    require(train.shape == test.shape, "training \(train.shape) and test \(test.shape) differ")
    self.train = train
    self.test = test
    stream = nil
  }

  /// Batches that are made when a step wants them, and may never be the same: from a file that does not fit into memory, or
  /// from a simulation.
  ///
  /// A run that resumes, or is cut into micro-batches, asks for a batch again: it has to follow from its epoch and number.
  /// Nothing normalises, shuffles or augments it.
  ///
  /// - Parameters:
  ///   - name: what a checkpoint knows the stream by.
  ///   - batchesPerEpoch: after so many steps comes the test.
  ///   - test: what to test with, in memory.
  ///   - batch: the examples of a step, given the epoch and the number of the batch, from 0.
  public init(
    streaming name: String, batchesPerEpoch: Int, test: Dataset,
    _ batch: @escaping @Sendable (_ epoch: Int, _ number: Int) -> Dataset
  ) {
    require(batchesPerEpoch >= 1, "\(name): \(batchesPerEpoch) batches an epoch")
    train = batch(0, 0)
    self.test = test
    require(train.shape == test.shape, "training \(train.shape) and test \(test.shape) differ")
    stream = BatchStream(name: name, count: batchesPerEpoch, samples: nil, shape: train.shape) {
      epoch, number, _ in batch(epoch, number)
    }
  }

  /// Batches of which any part can be made: with ranks each makes, or reads, the examples of its shards alone.
  ///
  /// The first batch of the first epoch is made as a whole once, by every rank, to know the targets.
  ///
  /// - Parameters:
  ///   - name: what a checkpoint knows the stream by.
  ///   - batchesPerEpoch: after so many steps comes the test.
  ///   - samplesPerBatch: the examples of every batch.
  ///   - test: what to test with, in memory.
  ///   - part: the examples of a step with these numbers within the batch, given the epoch and the number of the batch, all
  ///     from 0.
  public init(
    streaming name: String, batchesPerEpoch: Int, samplesPerBatch: Int, test: Dataset,
    _ part: @escaping @Sendable (_ epoch: Int, _ number: Int, _ samples: Range<Int>) -> Dataset
  ) {
    require(
      batchesPerEpoch >= 1 && samplesPerBatch >= 1,
      "\(name): \(batchesPerEpoch) batches an epoch of \(samplesPerBatch) examples")
    train = part(0, 0, 0..<samplesPerBatch)
    self.test = test
    require(train.shape == test.shape, "training \(train.shape) and test \(test.shape) differ")
    stream = BatchStream(
      name: name, count: batchesPerEpoch, samples: samplesPerBatch, shape: train.shape, part: part)
  }

  /// The same examples, each its own target: for autoencoders.
  public var reconstructing: DataSplit {
    func plain(_ data: Dataset) -> Dataset {
      var plain = Dataset(name: data.name, shape: data.shape, storage: data.storage, targets: .inputs)
      plain.notes = data.notes
      return plain
    }
    return DataSplit(train: plain(train), test: plain(test))
  }

  /// Every example once, a fifth of them for the test, by a permutation that never changes. Of a class that would have
  /// examples for the test alone they go to the training, if another one can take their place.
  package init(splitting all: Dataset) {
    var generator = KeyedGenerator(0, Purpose.split)
    let order = generator.permutation(all.count)
    let testCount = max(1, all.count / 5)
    var (tested, learned) = (Array(order.prefix(testCount)), Array(order.dropFirst(testCount)))
    stream = nil
    if case .classes(let classes, _) = all.targets, all.answers == 1 {
      let known = Set(learned.map { classes[$0] })
      let strange = tested.filter { !known.contains(classes[$0]) }
      let counts = Dictionary(grouping: learned, by: { classes[$0] }).mapValues(\.count)
      if strange.count < tested.count {
        tested.removeAll { !known.contains(classes[$0]) }
        learned += strange
      } else if let spare = learned.firstIndex(where: { counts[classes[$0]] ?? 0 > 1 }) {
        tested = [learned.remove(at: spare)]
        learned += strange
      }
    }
    test = all.selecting(tested.sorted(), name: all.name)
    train = all.selecting(learned.sorted(), name: all.name)
  }
}

/// Batches that a closure makes.
package struct BatchStream: Sendable {
  let name: String
  /// The batches of an epoch.
  let count: Int
  /// The examples of a batch; nil if only the batch itself tells.
  let samples: Int?
  let shape: ExampleShape
  /// Some examples of a batch; all of them if ``samples`` is nil.
  let part: @Sendable (_ epoch: Int, _ number: Int, _ samples: Range<Int>) -> Dataset

  func examples(epoch: Int, _ number: Int, _ range: Range<Int> = 0..<0) -> Dataset {
    let examples = part(epoch, number, range)
    require(
      examples.count >= 1 && examples.shape == shape && (samples == nil || examples.count == range.count),
      "\(name): batch \(number) of epoch \(epoch) has \(examples.count) examples of \(examples.shape), not some of \(shape)"
    )
    return examples
  }
}
