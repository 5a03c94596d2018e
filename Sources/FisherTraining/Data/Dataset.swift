import FisherLinearAlgebra
import FisherRuntime

/// The axes of an example: an image, or a plain list of features as channels of one pixel.
public struct ExampleShape: Sendable, Hashable, CustomStringConvertible {
  public let channels: Int
  public let height: Int
  public let width: Int

  public init(channels: Int, height: Int = 1, width: Int = 1) {
    self.channels = channels
    self.height = height
    self.width = width
  }

  /// The numbers of an example: channel by channel, row by row.
  public var count: Int { channels * height * width }

  /// It has pixels beside one another.
  public var isImage: Bool { height > 1 || width > 1 }

  /// `1×8×8`
  public var description: String { "\(channels)×\(height)×\(width)" }
}

/// What a network shall say to an example.
public enum Targets: Sendable, Equatable {
  /// One of `count` classes for each example.
  case classes([Int], count: Int)
  /// The example itself: an autoencoder.
  case inputs
}

/// Examples in memory, with what belongs to them.
public struct Dataset: Sendable {
  enum Storage: Sendable {
    /// Bytes with the value that 1 stands for.
    case bytes([UInt8], scale: Float)
    case floats([Float])
  }

  public let name: String
  public let shape: ExampleShape
  /// The number of examples.
  public let count: Int
  public let targets: Targets
  let storage: Storage
  /// What a reader should know of how the data were read.
  public internal(set) var notes: [String] = []

  /// - Precondition: the numbers and targets of as many whole examples.
  init(name: String, shape: ExampleShape, storage: Storage, targets: Targets) {
    let numbers: Int
    switch storage {
    case .bytes(let bytes, _): numbers = bytes.count
    case .floats(let floats): numbers = floats.count
    }
    require(numbers % shape.count == 0, "\(numbers) numbers do not make examples of \(shape)")
    count = numbers / shape.count
    if case .classes(let classes, _) = targets {
      require(classes.count == count, "\(classes.count) classes for \(count) examples")
    }
    self.name = name
    self.shape = shape
    self.storage = storage
    self.targets = targets
  }

  /// Examples given as rows.
  ///
  /// - Precondition: all rows have `shape.count` numbers; there is a class for each, from 0 below `classCount`.
  public init(name: String, shape: ExampleShape, rows: [[Float]], classes: [Int], classCount: Int) {
    require(rows.allSatisfy { $0.count == shape.count }, "a row does not have the shape \(shape)")
    require(classes.allSatisfy { 0..<classCount ~= $0 }, "a class is not below \(classCount)")
    self.init(
      name: name, shape: shape, storage: .floats(rows.flatMap(\.self)),
      targets: .classes(classes, count: classCount))
  }

  /// All numbers lie in [0, 1]: intensities, which a binary cross-entropy may compare.
  public var isUnitScaled: Bool {
    switch storage {
    case .bytes: true
    case .floats(let floats): floats.allSatisfy { 0...1 ~= $0 }
    }
  }

  /// The number of classes; nil if the targets are no classes.
  public var classCount: Int? {
    if case .classes(_, let count) = targets { return count }
    return nil
  }

  /// The numbers of example `i`.
  @inline(__always)
  func copyExample(_ i: Int, to target: UnsafeMutableBufferPointer<Float>) {
    let start = i * shape.count
    switch storage {
    case .bytes(let bytes, let scale):
      for j in 0..<shape.count { target[j] = Float(bytes[start + j]) * scale }
    case .floats(let floats):
      for j in 0..<shape.count { target[j] = floats[start + j] }
    }
  }

  /// The examples of these places, in this order.
  func selecting(_ places: [Int], name: String) -> Dataset {
    let n = shape.count
    let chosen: Storage
    switch storage {
    case .bytes(let bytes, let scale):
      chosen = .bytes(places.flatMap { bytes[$0 * n..<($0 + 1) * n] }, scale: scale)
    case .floats(let floats): chosen = .floats(places.flatMap { floats[$0 * n..<($0 + 1) * n] })
    }
    var targets = targets
    if case .classes(let classes, let count) = targets {
      targets = .classes(places.map { classes[$0] }, count: count)
    }
    var result = Dataset(name: name, shape: shape, storage: chosen, targets: targets)
    result.notes = notes
    return result
  }
}

/// What is learned from, and what is tested with.
public struct DataSplit: Sendable {
  public let train: Dataset
  public let test: Dataset

  public init(train: Dataset, test: Dataset) {
    require(train.shape == test.shape, "training \(train.shape) and test \(test.shape) differ")
    self.train = train
    self.test = test
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
  init(splitting all: Dataset) {
    var generator = KeyedGenerator(0, Purpose.split)
    let order = generator.permutation(all.count)
    let testCount = max(1, all.count / 5)
    var (tested, learned) = (Array(order.prefix(testCount)), Array(order.dropFirst(testCount)))
    if case .classes(let classes, _) = all.targets {
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
