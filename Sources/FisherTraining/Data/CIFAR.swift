import Foundation

/// The binary files of CIFAR-10 and CIFAR-100 (Krizhevsky 2009): records of labels and 3 × 32 × 32 bytes.
enum CIFAR {
  static let shape = ExampleShape(channels: 3, height: 32, width: 32)

  /// Reads files of records with `labels` label bytes, of which the last counts.
  static func dataset(
    _ name: String, files: [String], labels: Int, classes: Int
  ) throws(FileError) -> Dataset {
    var pixels: [UInt8] = []
    var targets: [Int] = []
    let record = labels + shape.count
    for file in files {
      let bytes = try FileBytes.readData(file)
      guard bytes.count % record == 0, !bytes.isEmpty else {
        throw FileError(file, "\(bytes.count) bytes are not whole records of \(record)")
      }
      for start in stride(from: 0, to: bytes.count, by: record) {
        let label = Int(bytes[start + labels - 1])
        guard label < classes else {
          throw FileError(
            file, at: "byte \(start + labels - 1)", "label \(label), there are \(classes) classes")
        }
        targets.append(label)
        pixels += bytes[start + labels..<start + record]
      }
    }
    return Dataset(
      name: name, shape: shape, storage: .bytes(pixels, scale: 1 / 255),
      targets: .classes(targets, count: classes))
  }

  /// Which of the two a directory holds, if any.
  static func kind(of directory: String) -> String? {
    let has = { FileManager.default.fileExists(atPath: directory + "/" + $0) }
    return has("data_batch_1.bin") ? "cifar10" : has("train.bin") ? "cifar100" : nil
  }

  static func split(in directory: String) throws(FileError) -> DataSplit {
    if kind(of: directory) == "cifar100" {
      return DataSplit(
        train: try dataset("cifar100", files: [directory + "/train.bin"], labels: 2, classes: 100),
        test: try dataset("cifar100", files: [directory + "/test.bin"], labels: 2, classes: 100))
    }
    let batches = (1...5).map { "\(directory)/data_batch_\($0).bin" }
    return DataSplit(
      train: try dataset("cifar10", files: batches, labels: 1, classes: 10),
      test: try dataset("cifar10", files: [directory + "/test_batch.bin"], labels: 1, classes: 10))
  }
}
