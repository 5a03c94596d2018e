import FisherDistributed
import FisherRuntime
import Foundation

/// The files of MNIST and its relatives: bytes behind a header of magic number and big-endian axes.
package enum IDX {
  /// The bytes and axes of a file.
  ///
  /// - Throws: ``FileError`` if the header is not that of unsigned bytes or the size does not fit it.
  static func read(_ path: String, axes wanted: Int) throws(FileError) -> (
    axes: [Int], bytes: ArraySlice<UInt8>
  ) {
    try decode(try FileBytes.readData(path), from: path, axes: wanted)
  }

  /// - Parameter path: for messages.
  package static func decode(
    _ bytes: [UInt8], from path: String, axes wanted: Int
  ) throws(FileError) -> (axes: [Int], bytes: ArraySlice<UInt8>) {
    let axes = try axes(bytes.prefix(headerSize(wanted)), size: bytes.count, from: path, wanted)
    return (axes, bytes[headerSize(wanted)...])
  }

  /// The bytes before the first element.
  private static func headerSize(_ axes: Int) -> Int { 4 + 4 * axes }

  /// The axes that a header tells, where they make the size of the file.
  ///
  /// - Parameters:
  ///   - bytes: the first of the file.
  ///   - size: of the whole file.
  ///   - path: for messages.
  ///   - wanted: the number of axes.
  private static func axes(
    _ bytes: ArraySlice<UInt8>, size present: Int, from path: String, _ wanted: Int
  ) throws(FileError) -> [Int] {
    guard bytes.count >= 4, bytes[0] == 0, bytes[1] == 0 else {
      throw FileError(path, at: "byte 0", "not an IDX file: it must begin with two zero bytes")
    }
    guard bytes[2] == 8 else {
      throw FileError(path, at: "byte 2", "element type \(bytes[2]), only unsigned bytes, 8, can be read")
    }
    guard Int(bytes[3]) == wanted else {
      throw FileError(path, at: "byte 3", "\(bytes[3]) axes, there must be \(wanted)")
    }
    let start = headerSize(wanted)
    guard bytes.count >= start else {
      throw FileError(path, "\(present) bytes are too few for the header of \(start)")
    }
    let axes = (0..<wanted).map { axis in
      (0..<4).reduce(0) { $0 << 8 | Int(bytes[4 + 4 * axis + $1]) }
    }
    // No file is longer: what is left of the product can be added to.
    guard let count = Size.product(axes, atMost: .max - start) else {
      throw FileError(
        path, at: "byte 4", "\(present) bytes, where axes \(axes) make more than a file can have")
    }
    let size = start + count
    guard present == size else {
      throw FileError(path, "\(present) bytes, where axes \(axes) make \(size)")
    }
    return axes
  }

  /// A file of images with its file of labels.
  ///
  /// - Parameter ranks: what reads the images together; nil if this process keeps them in memory.
  static func dataset(
    _ name: String, images: String, labels: String, sharedBy ranks: (any Communicator)?
  ) throws(FileError) -> Dataset {
    guard let ranks else {
      let pixels = try read(images, axes: 3)
      let (shape, targets) = try examples(pixels.axes, of: images, labels)
      return Dataset(
        name: name, shape: shape, storage: .bytes(Array(pixels.bytes), scale: 1 / 255), targets: targets)
    }
    let file = try OpenFile(images)
    let axes = try axes(try file.head(headerSize(3))[...], size: file.size, from: images, 3)
    let (shape, targets) = try examples(axes, of: images, labels)
    let rows = FileRows([
      RecordFile(file, start: headerSize(3), record: shape.count, skipped: 0, count: axes[0])
    ])
    return Dataset(
      name: name, shape: shape, storage: .rows(try SharedRows(rows, shape, ranks) { _, _, _ in }),
      targets: targets)
  }

  /// The shape of images with these axes, and the classes that a file has for them.
  private static func examples(
    _ axes: [Int], of images: String, _ labels: String
  ) throws(FileError) -> (ExampleShape, Targets) {
    let classes = try read(labels, axes: 1)
    guard axes[0] == classes.axes[0] else {
      throw FileError(labels, "\(classes.axes[0]) labels for the \(axes[0]) images of \(images)")
    }
    guard axes[0] > 0, axes[1] > 0, axes[2] > 0 else {
      throw FileError(images, "axes \(axes) hold no image")
    }
    let numbers = classes.bytes.map(Int.init)
    return (
      ExampleShape(channels: 1, height: axes[1], width: axes[2]),
      .classes(numbers, count: max(10, (numbers.max() ?? 0) + 1))
    )
  }

  /// Whether a directory holds the four files.
  static func isPresent(in directory: String) -> Bool {
    let images = directory + "/train-images-idx3-ubyte"
    return FileManager.default.fileExists(atPath: FileBytes.present(images))
  }

  /// The four files of a directory, under the names of MNIST; each may be compressed and end in `.gz`.
  ///
  /// - Parameter ranks: what reads images that are not compressed together; nil for this process alone.
  static func split(in directory: String, sharedBy ranks: (any Communicator)?) throws(FileError) -> DataSplit
  {
    let name = (directory as NSString).lastPathComponent
    func file(_ name: String) -> String { FileBytes.present(directory + "/" + name) }
    let images = [file("train-images-idx3-ubyte"), file("t10k-images-idx3-ubyte")]
    let ranks = try SharedRows.ranks(ranks, for: images)
    let train = try dataset(
      name, images: images[0], labels: file("train-labels-idx1-ubyte"), sharedBy: ranks)
    let test = try dataset(
      name, images: images[1], labels: file("t10k-labels-idx1-ubyte"), sharedBy: ranks)
    try requireAlike(train, test, in: directory)
    return DataSplit(train: train, test: test)
  }

  private static func requireAlike(
    _ train: Dataset, _ test: Dataset, in directory: String
  ) throws(FileError) {
    if train.shape != test.shape {
      throw FileError(directory, "training images of \(train.shape) and test images of \(test.shape)")
    }
    if train.classCount != test.classCount {
      throw FileError(
        directory, "\(train.classCount ?? 0) classes for training and \(test.classCount ?? 0) for the test")
    }
  }
}
