import FisherTraining
import Foundation
import Testing

/// The message of the error that reading throws, without the folder.
private func refusal(_ folder: TemporaryFolder, _ read: () throws -> Void) -> String? {
  do {
    try read()
    return nil
  } catch {
    return "\(error)".replacingOccurrences(of: folder.path + "/", with: "")
      .replacingOccurrences(of: folder.path, with: "DIR")
  }
}

@Suite struct CSVTests {
  @Test(arguments: ["\n", "\r\n"])
  func readsTables(end: String) throws {
    let folder = TemporaryFolder()
    let text = ["a,b,class", "1,2.5,0", " -3 , 4e1, 2 ", "", "5,6,1", ""].joined(separator: end)
    for mark in ["", "\u{FEFF}"] {
      let data = try CSV.dataset(try folder.write("t.csv", mark + text))
      #expect(data.count == 3 && data.shape.count == 2 && data.classCount == 3)
      guard case .floats(let floats) = data.storage, case .classes(let classes, _) = data.targets else {
        return
      }
      #expect(floats == [1, 2.5, -3, 40, 5, 6] && classes == [0, 2, 1])
    }
    #expect(try CSV.dataset(try folder.write("plain.csv", "1,2,0\n3,4,1")).count == 2)
    let split = try DataSplit.named(try folder.write("s.csv", String(repeating: "1,2,0\n", count: 50)))
    #expect(split.train.count == 40 && split.test.count == 10)
  }

  @Test(arguments: [
    ("", "t.csv: 0 rows; at least two are needed, one to learn from and one to test with"),
    ("1,2,0\n", "t.csv: 1 rows; at least two are needed, one to learn from and one to test with"),
    ("1,2,0\n3,1\n", "t.csv, line 2: 2 values, where line 1 has 3"),
    ("x,y,c\n1,2,0\n3,,1\n", "t.csv, line 3, column 2: '' is not a finite number"),
    ("1,2,0\n3,nan,1\n", "t.csv, line 2, column 2: 'nan' is not a finite number"),
    ("1,2,0\n3,4,1.5\n", "t.csv, line 2, column 3: the class '1.5' is not an integer from 0 to 65535"),
    ("1,2,0\n3,4,-1\n", "t.csv, line 2, column 3: the class '-1' is not an integer from 0 to 65535"),
    ("1\n2\n", "t.csv, line 1: one value; features and a class are needed"),
  ])
  func refuses(text: String, message: String) throws {
    let folder = TemporaryFolder()
    let path = try folder.write("t.csv", text)
    #expect(refusal(folder) { _ = try DataSplit.named(path) } == message)
  }
}

@Suite struct IDXTests {
  /// A file of unsigned bytes with these axes.
  private func file(_ axes: [Int], _ bytes: [UInt8]) -> [UInt8] {
    [0, 0, 8, UInt8(axes.count)] + axes.flatMap { n in [24, 16, 8, 0].map { UInt8(n >> $0 & 255) } } + bytes
  }

  private func folder(
    images: [UInt8]? = nil, labels: [UInt8]? = nil, testImages: [UInt8]? = nil
  ) throws -> TemporaryFolder {
    let folder = TemporaryFolder()
    try folder.write("train-images-idx3-ubyte", images ?? file([3, 2, 2], Array(0..<12)))
    try folder.write("train-labels-idx1-ubyte", labels ?? file([3], [7, 0, 9]))
    try folder.write("t10k-images-idx3-ubyte", testImages ?? file([1, 2, 2], [255, 0, 51, 102]))
    try folder.write("t10k-labels-idx1-ubyte", file([1], [4]))
    return folder
  }

  @Test func readsImagesAndLabels() throws {
    let files = try folder()
    let split = try DataSplit.named(files.path)
    #expect(split.train.count == 3 && split.test.count == 1 && split.train.classCount == 10)
    #expect(split.train.shape == ExampleShape(channels: 1, height: 2, width: 2))
    let source = BatchSource(split.test, batchSize: 5, normalization: nil)
    #expect(
      try source.batch(0, as: Double.self).inputs.array.map { ($0 * 255).rounded() } == [255, 0, 51, 102])
    #expect(try source.batch(0, as: Float.self).classes == [4])
  }

  @Test func refuses() throws {
    let name = "train-images-idx3-ubyte"
    let cases: [(images: [UInt8]?, labels: [UInt8]?, test: [UInt8]?, message: String)] = [
      (file([3, 2, 2], Array(0..<11)), nil, nil, "\(name): 27 bytes, where axes [3, 2, 2] make 28"),
      (file([3, 2, 2], Array(0..<13)), nil, nil, "\(name): 29 bytes, where axes [3, 2, 2] make 28"),
      ([], nil, nil, "\(name), byte 0: not an IDX file: it must begin with two zero bytes"),
      ([31, 139, 8, 0, 1], nil, nil, "\(name): cannot be unpacked: unexpected end of file"),
      (
        [0, 0, 13, 3, 0], nil, nil, "\(name), byte 2: element type 13, only unsigned bytes, 8, can be read"
      ),
      (file([12], Array(0..<12)), nil, nil, "\(name), byte 3: 1 axes, there must be 3"),
      ([0, 0, 8, 3, 0, 0], nil, nil, "\(name): 6 bytes are too few for the header of 16"),
      (
        file([0xFFFF_FFFF, 0xFFFF_FFFF, 0xFFFF_FFFF], []), nil, nil,
        "\(name), byte 4: 16 bytes, where axes [4294967295, 4294967295, 4294967295] make more than a file can have"
      ),
      (file([0, 2, 2], []), file([0], []), nil, "\(name): axes [0, 2, 2] hold no image"),
      (
        nil, file([2], [1, 2]), nil,
        "train-labels-idx1-ubyte: 2 labels for the 3 images of train-images-idx3-ubyte"
      ),
      (nil, file([3], [1, 2, 30]), nil, "DIR: 31 classes for training and 10 for the test"),
      (
        nil, nil, file([1, 1, 2], [1, 2]), "DIR: training images of 1×2×2 and test images of 1×1×2"
      ),
    ]
    for subject in cases {
      let folder = try folder(images: subject.images, labels: subject.labels, testImages: subject.test)
      #expect(refusal(folder) { _ = try DataSplit.named(folder.path) } == subject.message)
    }
    let incomplete = try folder()
    try FileManager.default.removeItem(atPath: incomplete.path + "/t10k-labels-idx1-ubyte")
    #expect(
      refusal(incomplete) { _ = try DataSplit.named(incomplete.path) }
        == "t10k-labels-idx1-ubyte: there is no such file")
  }
}

@Suite struct CIFARTests {
  private func record(_ labels: [UInt8], _ first: UInt8) -> [UInt8] {
    labels + (0..<3072).map { UInt8(truncatingIfNeeded: $0 + Int(first)) }
  }

  @Test func readsTenClasses() throws {
    let folder = TemporaryFolder()
    for i in 1...5 {
      try folder.write("data_batch_\(i).bin", record([UInt8(i)], UInt8(i)) + record([9], 0))
    }
    try folder.write("test_batch.bin", record([3], 200))
    let split = try DataSplit.named(folder.path)
    #expect(split.train.count == 10 && split.test.count == 1 && split.train.classCount == 10)
    #expect(split.train.targets == .classes([1, 9, 2, 9, 3, 9, 4, 9, 5, 9], count: 10))
    let batch = try BatchSource(split.test, batchSize: 1, normalization: nil).batch(0, as: Float.self)
    #expect(batch.inputs.columns == 3072 && batch.inputs[0, 0] == Float(200) * (1 / 255))
    #expect(split.train.shape == ExampleShape(channels: 3, height: 32, width: 32))
  }

  @Test func readsTheFineLabelsOfAHundredClasses() throws {
    let folder = TemporaryFolder()
    try folder.write("train.bin", record([19, 99], 1) + record([2, 0], 1))
    try folder.write("test.bin", record([0, 50], 1))
    let split = try DataSplit.named(folder.path)
    #expect(split.train.targets == .classes([99, 0], count: 100))
    #expect(split.test.targets == .classes([50], count: 100))
  }

  @Test func refuses() throws {
    let folder = TemporaryFolder()
    #expect(
      refusal(folder) { _ = try DataSplit.named(folder.path) }
        == "DIR: holds neither train-images-idx3-ubyte (MNIST) nor data_batch_1.bin (CIFAR-10) nor train.bin (CIFAR-100)"
    )
    #expect(
      refusal(folder) { _ = try DataSplit.named(folder.path + "/missing") }
        == "missing: neither a data set (\(DataSplit.names.joined(separator: ", "))) nor a file or directory")
    try folder.write("train.bin", Array(record([1, 2], 0).dropLast()))
    #expect(
      refusal(folder) { _ = try DataSplit.named(folder.path) }
        == "train.bin: 3073 bytes are not whole records of 3074")
    try folder.write("train.bin", record([1, 2], 0) + record([1, 100], 0))
    #expect(
      refusal(folder) { _ = try DataSplit.named(folder.path) }
        == "train.bin, byte 3075: label 100, there are 100 classes")
    try folder.write("train.bin", [])
    #expect(
      refusal(folder) { _ = try DataSplit.named(folder.path) }
        == "train.bin: 0 bytes are not whole records of 3074")
  }
}
