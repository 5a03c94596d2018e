import FisherRuntime
import Foundation
import Synchronization

/// Rows of bytes at known places of files: read when they are wanted, and not kept.
///
/// Nothing is mapped into memory, so that a file that somebody cuts short is an error like others and not a signal. The
/// files stay open; one that is replaced by another stays what it was.
package final class FileRows: Sendable {
  /// The bytes of a row.
  package let width: Int
  /// The number of rows in all files.
  package let count: Int
  private let files: [RecordFile]
  private let bytes = Atomic<Int>(0)

  /// - Precondition: there is a file, and rows of all files are equally long.
  init(_ files: [RecordFile]) {
    self.files = files
    width = files[0].record - files[0].skipped
    count = files.reduce(0) { $0 + $1.count }
    require(
      files.allSatisfy { $0.record - $0.skipped == width }, "FileRows: rows of files with other lengths")
  }

  /// The bytes that this process has read so far, of headers apart.
  package var bytesRead: Int { bytes.load(ordering: .relaxed) }

  /// Where messages are about.
  var path: String { files[0].path }

  /// The rows of these places, one after the other.
  ///
  /// - Throws: ``FileError`` if a file cannot be read, or has changed since it was opened.
  package func read(_ places: [Int]) throws(FileError) -> [UInt8] {
    var rows = [UInt8](repeating: 0, count: places.count * width)
    for (i, place) in places.enumerated() {
      let (file, number) = locate(place)
      try file.read(
        at: file.start + number * file.record + file.skipped, to: &rows, i * width..<(i + 1) * width)
    }
    bytes.add(rows.count, ordering: .relaxed)
    for file in files { try file.requireUnchanged() }
    return rows
  }

  /// Whole records that follow one another, with what comes before each row.
  ///
  /// - Returns: one file's records after another's, and for each file the number of its first record.
  /// - Throws: ``FileError`` like ``read(_:)``.
  func records(_ range: Range<Int>) throws(FileError) -> [(file: RecordFile, first: Int, bytes: [UInt8])] {
    var parts: [(file: RecordFile, first: Int, bytes: [UInt8])] = []
    var start = 0
    for file in files {
      let own = range.clamped(to: start..<start + file.count)
      let first = own.lowerBound - start
      start += file.count
      if own.isEmpty { continue }
      var records = [UInt8](repeating: 0, count: own.count * file.record)
      try file.read(at: file.start + first * file.record, to: &records, 0..<records.count)
      bytes.add(records.count, ordering: .relaxed)
      try file.requireUnchanged()
      parts.append((file, first, records))
    }
    return parts
  }

  /// The file of a row, and its number there.
  private func locate(_ place: Int) -> (RecordFile, Int) {
    var number = place
    for file in files {
      if number < file.count { return (file, number) }
      number -= file.count
    }
    fatalError("FileRows: row \(place) of \(count)")
  }
}

/// An open file of records, all of one size.
final class RecordFile: Sendable {
  let path: String
  /// Where the first record begins.
  let start: Int
  /// The bytes of a record, and those of them that come before its row.
  let record, skipped: Int
  let count: Int
  private let opened: OpenFile

  /// - Precondition: the file has exactly these records.
  init(_ file: OpenFile, start: Int, record: Int, skipped: Int, count: Int) {
    require(
      start + record * count == file.size,
      "RecordFile: \(count) records of \(record) from \(start) on in \(file.size) bytes")
    (opened, path) = (file, file.path)
    (self.start, self.record, self.skipped, self.count) = (start, record, skipped, count)
  }

  func read(at place: Int, to bytes: inout [UInt8], _ range: Range<Int>) throws(FileError) {
    try opened.read(at: place, to: &bytes, range)
  }

  func requireUnchanged() throws(FileError) { try opened.requireUnchanged() }
}
