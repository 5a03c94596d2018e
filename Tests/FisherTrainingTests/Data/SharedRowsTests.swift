import FisherDistributed
import FisherKit
import FisherTestSupport
import FisherTraining
import Foundation
import Testing

/// Files that ranks read together: each its part, and the bits of one process that has read everything.
@Suite struct SharedRowsTests {
  enum Kind: CaseIterable, Sendable { case images, records }

  /// Bytes without a pattern.
  private static func noise(_ count: Int, _ seed: UInt64) -> [UInt8] {
    var generator = Generator(seed: seed)
    return (0..<count).map { _ in UInt8.random(in: 0...255, using: &generator) }
  }

  private static func header(_ axes: [Int]) -> [UInt8] {
    [0, 0, 8, UInt8(axes.count)] + axes.flatMap { n in [24, 16, 8, 0].map { UInt8(n >> $0 & 255) } }
  }

  /// 61 images of 3 × 5, so that words of the hash end within images and some are left over; or CIFAR's records in files of
  /// several lengths.
  private static func folder(_ kind: Kind, examples: Int = 61) throws -> TemporaryFolder {
    let folder = TemporaryFolder()
    switch kind {
    case .images:
      for (name, count) in [("train", examples), ("t10k", 21)] {
        try folder.write("\(name)-images-idx3-ubyte", header([count, 3, 5]) + noise(15 * count, 1))
        try folder.write(
          "\(name)-labels-idx1-ubyte", header([count]) + (0..<count).map { UInt8($0 * 7 % 10) })
      }
    case .records:
      func records(_ count: Int, _ seed: UInt64) -> [UInt8] {
        (0..<count).flatMap { [UInt8($0 * 3 % 10)] + noise(3072, seed + UInt64($0)) }
      }
      for (i, count) in [10, 13, 1, 20, 17].enumerated() {
        try folder.write("data_batch_\(i + 1).bin", records(count, UInt64(100 * i)))
      }
      try folder.write("test_batch.bin", records(11, 900))
    }
    return folder
  }

  private static func trainer(
    _ data: DataSplit, _ communicator: any Communicator = SingleProcess()
  ) throws -> Trainer<Float> {
    let shape = data.train.shape
    return try Trainer(
      Network(
        input: [shape.channels, shape.height, shape.width], [.flatten, .linear(8), .relu, .linear(10)]),
      data, optimizer: SGD(),
      options: Clouds.options { options in
        (options.shards, options.batchSize, options.augmentations) = (4, 11, [.shift(1), .flip])
      }, registry: .builtIn, communicator: communicator)
  }

  private static func rows(_ data: Dataset) throws -> FileRows {
    guard case .rows(let shared) = data.storage else { throw FileError(data.name, "is in memory") }
    return shared.rows
  }

  /// Identity, normalisation, and nine steps, of which six are an epoch with its test.
  @Test(arguments: Kind.allCases)
  func bitsAreThoseOfOneProcess(kind: Kind) throws {
    let folder = try Self.folder(kind)
    let path = folder.path
    let alone = try DataSplit.named(path)
    let single = try Self.trainer(alone)
    for _ in 0..<9 { try single.step() }
    let expected = (single.fingerprint, single.progress.testLoss)
    let saved = TemporaryFolder()
    try single.save(to: saved.path)
    let stored = saved.path
    for ranks in [2, 3, 4] {
      let answers = try asRanks(ranks) { communicator in
        let data = try DataSplit.named(path, sharedBy: communicator)
        _ = (try Self.rows(data.train), try Self.rows(data.test))
        let trainer = try Self.trainer(data, communicator)
        for _ in 0..<9 { try trainer.step() }
        let later = try Self.trainer(data, communicator)
        try later.resume(from: Checkpoint(in: stored))
        return (
          data.train.identity, data.test.identity, Normalization(data.train), data.train.targets,
          (trainer.fingerprint, trainer.progress.testLoss), later.fingerprint
        )
      }
      for answer in answers {
        #expect(answer.0 == alone.train.identity && answer.1 == alone.test.identity, "\(ranks) ranks")
        #expect(answer.2 == Normalization(alone.train) && answer.3 == alone.train.targets)
        #expect(answer.4 == expected && answer.5 == expected.0)
      }
    }
  }

  /// The same without classes, and when there are fewer examples than every rank could have eight of.
  @Test(arguments: [1, 7, 8, 9, 23])
  func anyNumberOfExamplesHasItsIdentity(examples: Int) throws {
    let folder = try Self.folder(.images, examples: examples)
    let path = folder.path
    let alone = try DataSplit.named(path).reconstructing
    let answers = try asRanks(3) { communicator in
      let data = try DataSplit.named(path, sharedBy: communicator).reconstructing
      return (data.train.identity, Normalization(data.train))
    }
    for answer in answers {
      #expect(answer.0 == alone.train.identity && answer.1 == Normalization(alone.train))
    }
  }

  /// All ranks together read every byte once; then each reads the rows of its shards, and of its batches of the test.
  @Test(arguments: Kind.allCases)
  func ranksReadTheirParts(kind: Kind) throws {
    let folder = try Self.folder(kind)
    let path = folder.path
    let record = kind == .images ? 15 : 3073
    for ranks in [2, 3] {
      let answers = try asRanks(ranks) { communicator in
        let data = try DataSplit.named(path, sharedBy: communicator)
        let (train, test) = (try Self.rows(data.train), try Self.rows(data.test))
        let atFirst = (train.bytesRead, test.bytesRead)
        let trainer = try Self.trainer(data, communicator)
        for _ in 0..<5 { try trainer.step() }
        let steps = train.bytesRead - atFirst.0
        try trainer.step()
        return (atFirst.0, atFirst.1, steps, test.bytesRead - atFirst.1)
      }
      #expect(answers.reduce(0) { $0 + $1.0 } == 61 * record && answers.reduce(0) { $0 + $1.1 } % record == 0)
      let width = kind == .images ? 15 : 3072
      let tree = ReductionTree(leaves: 4, ranks: ranks)
      for (rank, answer) in answers.enumerated() {
        #expect(answer.0 <= (61 / 8 / ranks + 2) * 8 * record, "\(answer)")
        let samples = tree.leaves(of: rank).reduce(0) { $0 + ($1 + 1) * 11 / 4 - $1 * 11 / 4 }
        #expect(answer.2 == 5 * samples * width)
        // A test of one batch is that of the first rank.
        #expect(answer.3 == (rank == 0 ? width * (kind == .images ? 21 : 11) : 0))
      }
    }
  }

  /// What happens to a file while ranks train, and what a step says then.
  private func refusals(_ change: @escaping @Sendable (_ file: String) throws -> Void) throws -> [String] {
    let folder = try Self.folder(.images)
    let path = folder.path
    return try asRanks(2) { communicator in
      let data = try DataSplit.named(path, sharedBy: communicator)
      let trainer = try Self.trainer(data, communicator)
      try trainer.step()
      try communicator.barrier()
      if communicator.rank == 0 { try change(path + "/train-images-idx3-ubyte") }
      try communicator.barrier()
      let before = trainer.fingerprint
      do {
        try trainer.step()
        return "took a step"
      } catch {
        return trainer.fingerprint == before
          ? "\(error)".replacingOccurrences(of: path + "/", with: "") : "changed something"
      }
    }
  }

  @Test func filesThatChangeAreNamed() throws {
    let cut = try refusals { truncate($0, 40) }
    #expect(cut.allSatisfy { $0.hasPrefix("train-images-idx3-ubyte: it ") }, "\(cut)")
    let changed = try refusals { file in
      usleep(20_000)
      let handle = try FileHandle(forUpdating: URL(fileURLWithPath: file))
      try handle.seek(toOffset: 100)
      handle.write(Data([1]))
      try handle.close()
    }
    let text = "train-images-idx3-ubyte: it has changed since it was opened, and the run goes by what it was"
    #expect(changed == [text, text])
    // A file that another one replaces stays open.
    let replaced = try refusals { file in
      try FileManager.default.removeItem(atPath: file)
      try Data([0]).write(to: URL(fileURLWithPath: file))
    }
    #expect(replaced == ["took a step", "took a step"])
  }

  /// Each of them says so instead of ending the process, and what was read before stays.
  @Test func everyReaderSaysThatAFileIsGone() throws {
    let folder = try Self.folder(.images)
    let path = folder.path
    let answers = try asRanks(2) { communicator -> [String] in
      let data = try DataSplit.named(path, sharedBy: communicator)
      let trainer = try Self.trainer(data, communicator)
      let before = try trainer.evaluate()
      #expect(try before == trainer.evaluate(on: data.test))
      try communicator.barrier()
      if communicator.rank == 0 {
        for name in ["train", "t10k"] { truncate(path + "/\(name)-images-idx3-ubyte", 40) }
      }
      try communicator.barrier()
      let readers: [() throws -> Void] = [
        { _ = try trainer.evaluate() }, { _ = try trainer.evaluate(on: data.test) },
        { _ = try trainer.predict(data.test) }, { _ = try trainer.probe(count: 3) },
        { _ = try data.train.appending(data.test) }, { _ = try data.test.rows(0..<1) },
      ]
      return readers.map { read in
        do {
          try read()
          return "was read"
        } catch let error as FileError { return "\(error)" } catch {
          return "another error: \(error)"
        }
      }
    }
    for answer in answers.flatMap({ $0 }) {
      #expect(answer.hasPrefix(path) && answer.contains("-images-idx3-ubyte: it "), "\(answer)")
    }
  }

  /// Compressed files are read as a whole, by all ranks alike.
  @Test func compressedFilesStayInMemory() throws {
    let folder = try Self.folder(.images)
    let name = folder.path + "/t10k-images-idx3-ubyte"
    let gzip = Process()
    gzip.executableURL = URL(fileURLWithPath: "/bin/gzip")
    gzip.arguments = [name]
    try gzip.run()
    gzip.waitUntilExit()
    let (path, alone) = (folder.path, try DataSplit.named(folder.path))
    let answers = try asRanks(2) { communicator in
      let data = try DataSplit.named(path, sharedBy: communicator)
      if case .bytes = data.train.storage { return data.train.identity }
      return "not in memory"
    }
    #expect(answers == [alone.train.identity, alone.train.identity])
  }

  /// A label beyond the classes is told by the rank that reads it, with its place in the file.
  @Test func aBadLabelIsNamed() throws {
    let folder = try Self.folder(.records)
    let path = folder.path
    let handle = try FileHandle(forUpdating: URL(fileURLWithPath: path + "/data_batch_4.bin"))
    try handle.seek(toOffset: 3 * 3073)
    handle.write(Data([10]))
    try handle.close()
    let answers = try asRanks(3) { communicator in
      do {
        _ = try DataSplit.named(path, sharedBy: communicator)
        return "was read"
      } catch {
        _ = communicator.fail()
        return "\(error)".replacingOccurrences(of: path + "/", with: "")
      }
    }
    #expect(answers[1] == "data_batch_4.bin, byte 9219: label 10, there are 10 classes", "\(answers)")
    #expect(answers[0].hasSuffix("rank 1 has failed") && answers[2].hasSuffix("rank 1 has failed"))
  }
}
