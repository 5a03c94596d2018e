import FisherDistributed
import Foundation

/// The binary files of CIFAR-10 and CIFAR-100 (Krizhevsky 2009): records of labels and 3 × 32 × 32 bytes.
enum CIFAR {
  static let shape = ExampleShape(channels: 3, height: 32, width: 32)

  /// Reads files of records with `labels` label bytes, of which the last counts.
  ///
  /// - Parameter ranks: what reads the files together; nil if this process keeps them in memory.
  static func dataset(
    _ name: String, files: [String], labels: Int, classes: Int, sharedBy ranks: (any Communicator)?
  ) throws(FileError) -> Dataset {
    if let ranks { return try shared(name, files, labels, classes, ranks) }
    var pixels: [UInt8] = []
    var targets: [Int] = []
    let record = labels + shape.count
    for file in files {
      let bytes = try FileBytes.readData(file)
      _ = try records(of: record, bytes.count, file)
      for start in stride(from: 0, to: bytes.count, by: record) {
        targets.append(try label(bytes[start..<start + labels], classes, file, start))
        pixels += bytes[start + labels..<start + record]
      }
    }
    return Dataset(
      name: name, shape: shape, storage: .bytes(pixels, scale: 1 / 255),
      targets: .classes(targets, count: classes))
  }

  private static func records(of size: Int, _ bytes: Int, _ file: String) throws(FileError) -> Int {
    guard bytes % size == 0, bytes > 0 else {
      throw FileError(file, "\(bytes) bytes are not whole records of \(size)")
    }
    return bytes / size
  }

  /// The last of a record's label bytes.
  private static func label(
    _ bytes: ArraySlice<UInt8>, _ classes: Int, _ file: String, _ start: Int
  ) throws(FileError) -> Int {
    let label = Int(bytes[bytes.endIndex - 1])
    if label < classes { return label }
    throw FileError(
      file, at: "byte \(start + bytes.count - 1)", "label \(label), there are \(classes) classes")
  }

  private static func shared(
    _ name: String, _ files: [String], _ labels: Int, _ classes: Int, _ ranks: any Communicator
  ) throws(FileError) -> Dataset {
    let record = labels + shape.count
    var parts: [RecordFile] = []
    for path in files {
      let file = try OpenFile(path)
      let count = try records(of: record, file.size, path)
      parts.append(RecordFile(file, start: 0, record: record, skipped: labels, count: count))
    }
    let rows = try SharedRows(FileRows(parts), shape, ranks) { file, start, bytes throws(FileError) in
      _ = try label(bytes, classes, file, start)
    }
    let targets = stride(from: labels - 1, to: rows.labels.count, by: labels).map { Int(rows.labels[$0]) }
    return Dataset(
      name: name, shape: shape, storage: .rows(rows), targets: .classes(targets, count: classes))
  }

  /// Which of the two a directory holds, if any.
  static func kind(of directory: String) -> String? {
    let has = { FileManager.default.fileExists(atPath: directory + "/" + $0) }
    return has("data_batch_1.bin") ? "cifar10" : has("train.bin") ? "cifar100" : nil
  }

  /// - Parameter ranks: what reads files that are not compressed together; nil for this process alone.
  static func split(
    in directory: String, sharedBy ranks: (any Communicator)? = nil
  ) throws(FileError) -> DataSplit {
    let isCIFAR100 = kind(of: directory) == "cifar100"
    let (name, labels, classes) = isCIFAR100 ? ("cifar100", 2, 100) : ("cifar10", 1, 10)
    let train = isCIFAR100 ? ["train"] : (1...5).map { "data_batch_\($0)" }
    let test = isCIFAR100 ? ["test"] : ["test_batch"]
    func paths(_ names: [String]) -> [String] { names.map { "\(directory)/\($0).bin" } }
    let ranks = try SharedRows.ranks(ranks, for: paths(train + test))
    return DataSplit(
      train: try dataset(name, files: paths(train), labels: labels, classes: classes, sharedBy: ranks),
      test: try dataset(name, files: paths(test), labels: labels, classes: classes, sharedBy: ranks))
  }
}
