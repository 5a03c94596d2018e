import FisherCommandLine
import FisherKit
import FisherRuntime
import Foundation

/// The file of a comparison: JSON Lines, each of which is on the disk before the next run begins.
package final class RecordFile {
  /// The name in the folder of a report.
  package static let name = "runs.jsonl"

  package private(set) var record: Record
  private let path: String
  private let descriptor: Int32

  /// Opens the file of a folder, and makes both if they are not there. A last line that a killed process left incomplete
  /// is cut off.
  ///
  /// - Throws: ``UsageError`` if the folder cannot be written, or the file is none of a comparison.
  package init(folder: String) throws(UsageError) {
    path = folder + "/" + Self.name
    do {
      try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    } catch {
      throw UsageError("--report: cannot make the folder \(quoted(folder))")
    }
    let isPresent = FileManager.default.fileExists(atPath: path)
    let (record, length) = isPresent ? try Self.read(path) : (Record(), 0)
    self.record = record
    descriptor = open(path, O_WRONLY | O_CREAT | O_CLOEXEC | O_APPEND, 0o644)
    if descriptor < 0 || ftruncate(descriptor, off_t(length)) != 0 {
      throw UsageError("--report: cannot write to \(quoted(path)): \(String(cString: strerror(errno)))")
    }
    if flock(descriptor, LOCK_EX | LOCK_NB) != 0 {
      throw UsageError("--report: another comparison writes to \(quoted(path))")
    }
  }

  deinit { close(descriptor) }

  /// What a file holds, and the length of its complete lines in bytes.
  package static func read(_ path: String) throws(UsageError) -> (record: Record, length: Int) {
    let bytes: [UInt8]
    do { bytes = try FileBytes.read(path) } catch { throw UsageError("\(error)") }
    let length = (bytes.lastIndex(of: UInt8(ascii: "\n")) ?? -1) + 1
    var record = Record()
    for (number, line) in bytes[..<length].split(separator: UInt8(ascii: "\n")).enumerated() {
      let text = String(decoding: line, as: UTF8.self)
      guard let value = try? JSON(parsing: text), record.add(value) else {
        throw UsageError(
          "\(path): line \(number + 1) is no line of a comparison: \(quoted(String(text.prefix(40))))")
      }
    }
    return (record, length)
  }

  /// Adds a line, to the disk and to the record.
  ///
  /// - Throws: ``UsageError`` if it cannot be written: then nothing of it counts.
  package func append(_ line: JSON) throws(UsageError) {
    let bytes = Array((line.text + "\n").utf8)
    var rest = bytes[...]
    while !rest.isEmpty {
      let count = rest.withUnsafeBytes { write(descriptor, $0.baseAddress, $0.count) }
      if count < 0 && errno == EINTR { continue }
      if count <= 0 {
        throw UsageError("--report: cannot write to \(quoted(path)): \(String(cString: strerror(errno)))")
      }
      rest = rest.dropFirst(count)
    }
    fsync(descriptor)
    precondition(record.add(line), "RecordFile: a line that cannot be read again: \(line.text)")
  }
}
