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

/// Examples in memory, with what belongs to them.
public struct Dataset: Sendable {
  package enum Storage: Sendable {
    /// Bytes with the value that 1 stands for.
    case bytes([UInt8], scale: Float)
    case floats([Float])
    /// Bytes in files that the ranks of a run read together.
    case rows(SharedRows)
  }

  public let name: String
  public let shape: ExampleShape
  /// The number of examples.
  public let count: Int
  public let targets: Targets
  /// The numbers are tokens below this one, which nothing may shift or scale; nil if they are measurements.
  public let vocabulary: Int?
  package let storage: Storage
  /// The numbers may be shifted and scaled: they are neither tokens nor places on a grid.
  package internal(set) var isNormalizable: Bool
  /// What the classes are called; nil if they are numbers.
  public internal(set) var classNames: [String]?
  /// What the target numbers are called; nil if they have no names.
  public internal(set) var targetNames: [String]?
  /// What a reader should know of how the data were read.
  public internal(set) var notes: [String] = []

  /// - Precondition: the numbers and targets of as many whole examples.
  package init(
    name: String, shape: ExampleShape, storage: Storage, targets: Targets, vocabulary: Int? = nil
  ) {
    let numbers: Int
    switch storage {
    case .bytes(let bytes, _): numbers = bytes.count
    case .floats(let floats): numbers = floats.count
    case .rows(let shared): numbers = shared.rows.count * shared.rows.width
    }
    require(numbers % shape.count == 0, "\(numbers) numbers do not make examples of \(shape)")
    count = numbers / shape.count
    targets.require(examples: count)
    self.name = name
    self.shape = shape
    self.storage = storage
    self.targets = targets
    self.vocabulary = vocabulary
    isNormalizable = vocabulary == nil
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

  /// Examples given as rows, with the numbers that the network shall say to each: a regression.
  ///
  /// - Precondition: all rows have `shape.count` numbers; there is a row of values for each, all equally long.
  public init(name: String, shape: ExampleShape, rows: [[Float]], values: [[Float]]) {
    let width = values.first?.count ?? 1
    require(rows.allSatisfy { $0.count == shape.count }, "a row does not have the shape \(shape)")
    require(values.allSatisfy { $0.count == width }, "the rows of target values are not equally long")
    require(values.count == rows.count, "\(values.count) rows of target values for \(rows.count) examples")
    self.init(
      name: name, shape: shape, storage: .floats(rows.flatMap(\.self)),
      targets: .values(values.flatMap(\.self), width: width))
  }

  /// Sequences of tokens, all equally long, each with one class or with one for every position.
  ///
  /// - Precondition: tokens lie from 0 below `vocabulary`, classes from 0 below `classCount`, or are −1: no answer is wanted.
  public init(name: String, sequences: [[Int]], vocabulary: Int, classes: [[Int]], classCount: Int) {
    let (length, answers) = (sequences.first?.count ?? 1, classes.first?.count ?? 1)
    require(sequences.allSatisfy { $0.count == length }, "the sequences are not equally long")
    require(
      classes.count == sequences.count && classes.allSatisfy { $0.count == answers },
      "\(classes.count) lists of classes for \(sequences.count) sequences, or not equally long")
    require(
      sequences.allSatisfy { $0.allSatisfy { 0..<vocabulary ~= $0 } }, "a token is not below \(vocabulary)")
    require(
      classes.allSatisfy { $0.allSatisfy { -1..<classCount ~= $0 } }, "a class is not below \(classCount)")
    self.init(
      name: name, shape: ExampleShape(channels: length),
      storage: .floats(sequences.flatMap { $0.map { Float($0) } }),
      targets: .classes(classes.flatMap(\.self), count: classCount), vocabulary: vocabulary)
  }

  /// Rows of `width` numbers from a CSV file without targets, as ``Trainer/predict(_:)-([[Float]])`` takes them.
  ///
  /// - Throws: ``FileError`` with the number of the first bad line.
  public static func rows(ofCSV path: String, width: Int) throws(FileError) -> [[Float]] {
    try CSV.rows(path, width: width)
  }

  /// All numbers lie in [0, 1]: intensities, which a binary cross-entropy may compare.
  public var isUnitScaled: Bool {
    switch storage {
    case .bytes, .rows: true
    case .floats(let floats): floats.allSatisfy { 0...1 ~= $0 }
    }
  }

  /// The number of classes; nil if the targets are no classes.
  public var classCount: Int? {
    if case .classes(_, let count) = targets { return count }
    return nil
  }

  /// The answers that an example wants: its positions if each has a class, else 1.
  public var answers: Int {
    if case .classes(let classes, _) = targets { return max(1, classes.count / max(1, count)) }
    return 1
  }

  /// The numbers that a network for these data gives to an example.
  public var outputCount: Int {
    switch targets {
    case .classes(_, let count): answers * count
    case .values(_, let width): width
    case .inputs: shape.count
    }
  }

  /// The numbers of example `i`, which does not lie in a file.
  @inline(__always)
  package func copyExample(_ i: Int, to target: UnsafeMutableBufferPointer<Float>) {
    let start = i * shape.count
    switch storage {
    case .bytes(let bytes, let scale):
      for j in 0..<shape.count { target[j] = Float(bytes[start + j]) * scale }
    case .floats(let floats):
      for j in 0..<shape.count { target[j] = floats[start + j] }
    case .rows: Self.requireRead(name)
    }
  }

  /// These examples, then others of the same shape and targets.
  ///
  /// - Precondition: `other` was read like this one.
  /// - Throws: ``FileError`` if examples lie in a file that cannot be read, or has changed since it was opened.
  public func appending(_ other: Dataset) throws(FileError) -> Dataset {
    let numbers: Storage
    switch (storage, other.storage) {
    case (.bytes(let a, let scale), .bytes(let b, _)): numbers = .bytes(a + b, scale: scale)
    case (.floats(let a), .floats(let b)): numbers = .floats(a + b)
    case (.rows, _): return try reading(Array(0..<count)).appending(other)
    case (_, .rows): return try appending(other.reading(Array(0..<other.count)))
    default: fatalError("Dataset: \(name) and \(other.name) are stored differently")
    }
    let all: Targets
    switch (targets, other.targets) {
    case (.classes(let a, let count), .classes(let b, _)): all = .classes(a + b, count: count)
    case (.values(let a, let width), .values(let b, _)): all = .values(a + b, width: width)
    case (.inputs, .inputs): all = .inputs
    default: fatalError("Dataset: \(name) and \(other.name) have different targets")
    }
    var result = Dataset(name: name, shape: shape, storage: numbers, targets: all, vocabulary: vocabulary)
    result.notes = notes
    result.classNames = classNames
    result.targetNames = targetNames
    result.isNormalizable = isNormalizable
    return result
  }

  /// The numbers of these examples, a row each.
  ///
  /// - Throws: ``FileError`` like ``reading(_:name:)``.
  package func rows(_ places: Range<Int>) throws(FileError) -> [[Float]] {
    let examples = try reading(Array(places))
    return (0..<examples.count).map { i in
      var row = [Float](repeating: 0, count: shape.count)
      row.withUnsafeMutableBufferPointer { examples.copyExample(i, to: $0) }
      return row
    }
  }

  /// The examples of these places, in this order, which do not lie in files.
  package func selecting(_ places: [Int], name: String? = nil) -> Dataset {
    let n = shape.count
    let chosen: Storage
    switch storage {
    case .bytes(let bytes, let scale):
      chosen = .bytes(places.flatMap { bytes[$0 * n..<($0 + 1) * n] }, scale: scale)
    case .floats(let floats): chosen = .floats(places.flatMap { floats[$0 * n..<($0 + 1) * n] })
    case .rows: Self.requireRead(name ?? self.name)
    }
    return copy(name: name, chosen, places)
  }

  /// The examples of these places, in this order, read from files if they lie there.
  ///
  /// - Throws: ``FileError`` if a file cannot be read, or has changed since it was opened.
  package func reading(_ places: [Int], name: String? = nil) throws(FileError) -> Dataset {
    guard case .rows(let shared) = storage else { return selecting(places, name: name) }
    return copy(name: name, .bytes(try shared.rows.read(places), scale: shared.scale), places)
  }

  private static func requireRead(_ name: String) -> Never {
    fatalError("Dataset: examples of \(name) lie in a file and have to be read first")
  }

  /// The examples of these places, whose numbers are given.
  private func copy(name: String?, _ storage: Storage, _ places: [Int]) -> Dataset {
    var result = Dataset(
      name: name ?? self.name, shape: shape, storage: storage,
      targets: targets.selecting(places, of: count), vocabulary: vocabulary)
    result.notes = notes
    result.classNames = classNames
    result.targetNames = targetNames
    result.isNormalizable = isNormalizable
    return result
  }
}
