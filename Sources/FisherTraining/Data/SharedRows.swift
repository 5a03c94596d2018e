import FisherDistributed
import FisherOptimizers
import FisherRuntime

/// What all examples of some files say together: their classes, the hash of their bits and their normalisation.
package struct RowSummary: Sendable {
  /// Of the scale and the rows, as ``Dataset/identity`` begins.
  let hash: BitHash
  let normalization: Normalization
}

/// Examples that the ranks have read together, each a run of them, once.
///
/// Hash and normalisation go from rank to rank, in the order of the examples: each goes on where the one before has ended, so
/// that they have the bits of one process that reads everything. That takes no longer, and each byte is read by one rank.
package struct SharedRows: Sendable {
  package let rows: FileRows
  /// In [0, 1] after multiplication.
  let scale: Float = 1 / 255
  private(set) var summary: RowSummary
  /// The bytes before each row, one record's after another's.
  private(set) var labels: [UInt8] = []

  /// - Parameters:
  ///   - rows: the same files on every rank.
  ///   - shape: of an example.
  ///   - ranks: all of which do this at the same time.
  ///   - check: throws if the bytes before a row, given with their place in the file, are not what they should be.
  /// - Throws: ``FileError``; the other ranks wait until this one says that it has failed.
  init(
    _ rows: FileRows, _ shape: ExampleShape, _ ranks: any Communicator,
    check: (_ path: String, _ place: Int, ArraySlice<UInt8>) throws(FileError) -> Void
  ) throws(FileError) {
    self.rows = rows
    var own: [UInt8] = []
    var ownLabels: [UInt8] = []
    for part in try rows.records(Self.part(of: rows.count, ranks.rank, ranks.size)) {
      let (record, skipped) = (part.file.record, part.file.skipped)
      for start in stride(from: 0, to: part.bytes.count, by: record) {
        let label = part.bytes[start..<start + skipped]
        try check(part.file.path, part.file.start + part.first * record + start, label)
        ownLabels += label
        own += part.bytes[start + skipped..<start + record]
      }
    }
    do throws(CommunicationError) {
      let skipped = ownLabels.isEmpty ? 0 : ownLabels.count * rows.width / own.count
      let counts = (0..<ranks.size).map { Self.part(of: rows.count, $0, ranks.size).count }
      let width = try ranks.allGather([skipped]).max() ?? 0
      labels = try ranks.allGather(ownLabels, counts: counts.map { $0 * width })
      summary = try Self.summary(own, rows, shape, 1 / 255, ranks)
    } catch { throw FileError(rows.path, "\(error)") }
  }

  /// The ranks, if there are several and all of them find the files as they are; nil if not.
  ///
  /// - Throws: ``FileError`` if a rank is gone.
  static func ranks(_ ranks: (any Communicator)?, for files: [String]) throws(FileError) -> (
    any Communicator
  )? {
    guard let ranks, ranks.size > 1 else { return nil }
    let isPlain = files.allSatisfy { path in
      guard let head = try? OpenFile(path).head(2) else { return false }
      return !Gunzip.isCompressed(head)
    }
    do { return try ranks.allGather([isPlain ? 1 : 0]).contains(0) ? nil : ranks } catch {
      throw FileError(files[0], "\(error)")
    }
  }

  /// A rank's run of the examples: whole groups of eight, so that their bytes are whole words of the hash; the last rank has
  /// what is left.
  private static func part(of count: Int, _ rank: Int, _ ranks: Int) -> Range<Int> {
    func bound(_ rank: Int) -> Int { rank == ranks ? count : rank * (count / 8) / ranks * 8 }
    return bound(rank)..<bound(rank + 1)
  }

  private static func summary(
    _ own: [UInt8], _ rows: FileRows, _ shape: ExampleShape, _ scale: Float, _ ranks: any Communicator
  ) throws(CommunicationError) -> RowSummary {
    var hash = BitHash()
    hash.add(UInt64(scale.bitPattern))
    var sums = ChannelSums(shape)
    var words = [hash.value] + sums.words
    try ranks.inTurn(&words) { words in
      var hash = BitHash(resuming: words[0])
      own.withUnsafeBytes { hash.addWords($0, isLast: ranks.rank == ranks.size - 1) }
      sums.words = Array(words.dropFirst())
      own.forEachExample(shape, scale) { sums.add($0) }
      words = [hash.value] + sums.words
    }
    hash = BitHash(resuming: words[0])
    hash.add(UInt64(rows.count * rows.width))
    sums.words = Array(words.dropFirst())
    var squares = ChannelSquares(sums, examples: rows.count)
    words = squares.words
    try ranks.inTurn(&words) { words in
      squares.words = words
      own.forEachExample(shape, scale) { squares.add($0) }
      words = squares.words
    }
    squares.words = words
    return RowSummary(hash: hash, normalization: squares.normalization)
  }
}

extension [UInt8] {
  /// Calls the body with the numbers of each example.
  fileprivate func forEachExample(
    _ shape: ExampleShape, _ scale: Float, _ body: (UnsafeBufferPointer<Float>) -> Void
  ) {
    var example = [Float](repeating: 0, count: shape.count)
    for start in stride(from: 0, to: count, by: shape.count) {
      for j in 0..<shape.count { example[j] = Float(self[start + j]) * scale }
      example.withUnsafeBufferPointer(body)
    }
  }
}

extension Communicator {
  /// What the ranks make of some words one after the other, each of what the one before has left; all get what the last
  /// leaves.
  fileprivate func inTurn(
    _ words: inout [UInt64], _ body: (inout [UInt64]) -> Void
  ) throws(CommunicationError) {
    for turn in 0..<size {
      if turn == rank { body(&words) }
      try broadcast(&words, from: turn)
    }
  }
}
