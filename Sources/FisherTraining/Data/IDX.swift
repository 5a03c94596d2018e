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
    guard bytes.count >= 4, bytes[0] == 0, bytes[1] == 0 else {
      throw FileError(path, at: "byte 0", "not an IDX file: it must begin with two zero bytes")
    }
    guard bytes[2] == 8 else {
      throw FileError(path, at: "byte 2", "element type \(bytes[2]), only unsigned bytes, 8, can be read")
    }
    guard Int(bytes[3]) == wanted else {
      throw FileError(path, at: "byte 3", "\(bytes[3]) axes, there must be \(wanted)")
    }
    let start = 4 + 4 * wanted
    guard bytes.count >= start else {
      throw FileError(path, "\(bytes.count) bytes are too few for the header of \(start)")
    }
    let axes = (0..<wanted).map { axis in
      (0..<4).reduce(0) { $0 << 8 | Int(bytes[4 + 4 * axis + $1]) }
    }
    // No file is longer: what is left of the product can be added to.
    guard let count = Size.product(axes, atMost: .max - start) else {
      throw FileError(
        path, at: "byte 4", "\(bytes.count) bytes, where axes \(axes) make more than a file can have")
    }
    let size = start + count
    guard bytes.count == size else {
      throw FileError(path, "\(bytes.count) bytes, where axes \(axes) make \(size)")
    }
    return (axes, bytes[start...])
  }

  /// A file of images with its file of labels.
  static func dataset(_ name: String, images: String, labels: String) throws(FileError) -> Dataset {
    let pixels = try read(images, axes: 3)
    let classes = try read(labels, axes: 1)
    guard pixels.axes[0] == classes.axes[0] else {
      throw FileError(labels, "\(classes.axes[0]) labels for the \(pixels.axes[0]) images of \(images)")
    }
    guard pixels.axes[0] > 0, pixels.axes[1] > 0, pixels.axes[2] > 0 else {
      throw FileError(images, "axes \(pixels.axes) hold no image")
    }
    let labels = classes.bytes.map(Int.init)
    return Dataset(
      name: name, shape: ExampleShape(channels: 1, height: pixels.axes[1], width: pixels.axes[2]),
      storage: .bytes(Array(pixels.bytes), scale: 1 / 255),
      targets: .classes(labels, count: max(10, (labels.max() ?? 0) + 1)))
  }

  /// Whether a directory holds the four files.
  static func isPresent(in directory: String) -> Bool {
    let images = directory + "/train-images-idx3-ubyte"
    return FileManager.default.fileExists(atPath: FileBytes.present(images))
  }

  /// The four files of a directory, under the names of MNIST; each may be compressed and end in `.gz`.
  static func split(in directory: String) throws(FileError) -> DataSplit {
    let name = (directory as NSString).lastPathComponent
    func file(_ name: String) -> String { FileBytes.present(directory + "/" + name) }
    let train = try dataset(
      name, images: file("train-images-idx3-ubyte"), labels: file("train-labels-idx1-ubyte"))
    let test = try dataset(
      name, images: file("t10k-images-idx3-ubyte"), labels: file("t10k-labels-idx1-ubyte"))
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
