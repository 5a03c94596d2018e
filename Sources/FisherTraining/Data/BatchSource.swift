public import FisherLinearAlgebra
import FisherRuntime

/// Examples as a network takes them: one a row.
public struct Batch<Scalar: KernelScalar>: Sendable {
  public var inputs: Matrix<Scalar>
  /// The classes; empty if the targets are numbers.
  public var classes: [Int]
  /// The target numbers of a regression, a row an example; nil without.
  public var values: Matrix<Scalar>?
}

/// Cuts a data set into batches: in order for a test, in the order of an epoch for training.
///
/// A batch follows from the seed, the epoch and its number alone, so that any of them can be made again.
public struct BatchSource: Sendable {
  public let data: Dataset
  public let batchSize: Int
  let normalization: Normalization?
  /// Of the target numbers of a regression.
  let targetNormalization: Normalization?
  let augmentations: [Augmentation]
  let seed: UInt64
  /// Where the batches of an epoch come from, if not from `data`.
  let stream: BatchStream?

  /// - Precondition: `batchSize` ≥ 1.
  package init(
    _ data: Dataset, batchSize: Int, normalization: Normalization?,
    targetNormalization: Normalization? = nil, augmentations: [Augmentation] = [],
    seed: UInt64 = 0, stream: BatchStream? = nil
  ) {
    require(batchSize >= 1, "a batch of \(batchSize)")
    self.data = data
    self.batchSize = batchSize
    self.normalization = normalization
    self.targetNormalization = targetNormalization
    self.augmentations = augmentations
    self.seed = seed
    self.stream = stream
  }

  /// The batches of an epoch; the last may be smaller.
  public var batchCount: Int {
    stream?.count ?? (data.count == 0 ? 0 : (data.count - 1) / batchSize + 1)
  }

  /// The order of the examples in an epoch.
  package func order(epoch: Int) -> [Int] {
    if stream != nil { return [] }
    var generator = KeyedGenerator(seed, Purpose.order, UInt64(epoch))
    return generator.permutation(data.count)
  }

  /// Batch `number` of a shuffled epoch, augmented.
  ///
  /// - Throws: ``FileError`` if it lies in a file that cannot be read, or has changed since it was opened.
  package func batch<S: KernelScalar>(
    _ number: Int, of order: [Int], epoch: Int, as _: S.Type
  ) throws(FileError) -> Batch<S> {
    let examples = examples(number, of: order, epoch: epoch)
    return try examples.batch(0..<examples.count, as: S.self)
  }

  /// The examples of batch `number` of a shuffled epoch, before any of them is read.
  package func examples(_ number: Int, of order: [Int], epoch: Int) -> BatchExamples {
    guard let stream else {
      return BatchExamples(places: Array(order[places(number)]), of: self, augmenting: epoch)
    }
    return BatchExamples(number, of: stream, epoch: epoch)
  }

  /// Batch `number` in the order of the data, as it is.
  ///
  /// - Throws: ``FileError`` like ``batch(_:augmenting:as:)``.
  package func batch<S: KernelScalar>(_ number: Int, as _: S.Type) throws(FileError) -> Batch<S> {
    try batch(Array(places(number)), augmenting: nil)
  }

  /// The examples of these places, augmented as in an epoch, or as they are without one.
  ///
  /// - Throws: ``FileError`` if they lie in a file that cannot be read, or has changed since it was opened.
  package func batch<S: KernelScalar>(
    _ places: [Int], augmenting epoch: Int?, as _: S.Type = S.self
  ) throws(FileError) -> Batch<S> {
    guard case .rows = data.storage else { return batch(of: places, augmenting: epoch, keys: places) }
    let source = BatchSource(
      try data.reading(places), batchSize: batchSize, normalization: normalization,
      targetNormalization: targetNormalization, augmentations: augmentations, seed: seed)
    return source.batch(of: Array(places.indices), augmenting: epoch, keys: places)
  }

  /// The places of batch `number`, of any size.
  private func places(_ number: Int) -> Range<Int> {
    let start = number * batchSize
    return start..<start + min(batchSize, data.count - start)
  }

  /// The examples of these places, which do not lie in files.
  ///
  /// - Parameters:
  ///   - places: in the data.
  ///   - epoch: of the augmentation; nil for none.
  ///   - keys: what the augmentation of each follows from: its place, before it was read.
  @specialized(where S == Float) @specialized(where S == Double)
  func batch<S: KernelScalar>(of places: [Int], augmenting epoch: Int?, keys: [Int]) -> Batch<S> {
    let width = data.shape.count
    var inputs = Matrix<S>(rows: places.count, columns: width)
    var example = [Float](repeating: 0, count: width)
    inputs.withMutableSpan { target in
      example.withUnsafeMutableBufferPointer { example in
        for (row, place) in places.enumerated() {
          data.copyExample(place, to: example)
          if let epoch { augment(example, keys[row], epoch) }
          normalization?.apply(example)
          for j in 0..<width { target[row * width + j] = S(example[j]) }
        }
      }
    }
    switch data.targets.selecting(places, of: data.count) {
    case .inputs: return Batch(inputs: inputs, classes: [])
    case .classes(let classes, _): return Batch(inputs: inputs, classes: classes)
    case .values(var values, let width):
      if let targetNormalization {
        for start in stride(from: 0, to: values.count, by: width) {
          values.withUnsafeMutableBufferPointer { all in
            targetNormalization.apply(UnsafeMutableBufferPointer(rebasing: all[start..<start + width]))
          }
        }
      }
      return Batch(
        inputs: inputs, classes: [], values: Matrix(values.map { S($0) }, rows: places.count, columns: width))
    }
  }

  private func augment(_ example: UnsafeMutableBufferPointer<Float>, _ place: Int, _ epoch: Int) {
    if augmentations.isEmpty { return }
    var generator = KeyedGenerator(seed, Purpose.augmentation, UInt64(epoch), UInt64(place))
    for augmentation in augmentations { augmentation.apply(to: example, data.shape, &generator) }
  }
}
