import FisherRuntime
import Foundation

/// Whole files, in and out.
package enum FileBytes {
  /// All bytes of a file of data, unpacked if gzip has compressed it.
  package static func readData(_ path: String) throws(FileError) -> [UInt8] {
    let bytes = try read(path)
    return Gunzip.isCompressed(bytes) ? try Gunzip.read(path) : bytes
  }

  /// The name of a file, or of its compressed form if only that is there.
  static func present(_ path: String) -> String {
    let hasPlain = FileManager.default.fileExists(atPath: path)
    return !hasPlain && FileManager.default.fileExists(atPath: path + ".gz") ? path + ".gz" : path
  }

  /// All bytes of a file.
  package static func read(_ path: String) throws(FileError) -> [UInt8] {
    func failure() -> FileError {
      let reason = errno
      if reason == ENOENT { return FileError(path, "there is no such file") }
      if reason == EISDIR { return FileError(path, "this is a directory, not a file") }
      return FileError(path, "cannot be read: \(String(cString: strerror(reason)))")
    }
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    if descriptor < 0 { throw failure() }
    defer { close(descriptor) }
    var status = stat()
    var bytes: [UInt8] = []
    // What tells no size, such as a pipe, is read to its end.
    if fstat(descriptor, &status) == 0 { bytes.reserveCapacity(Int(max(0, status.st_size)) + 1) }
    while true {
      let room = bytes.capacity > bytes.count ? bytes.capacity - bytes.count : 1 << 20
      if let shortage = MachineMemory.shortage(Double(bytes.count + room)) {
        throw FileError(path, "it \(shortage)")
      }
      let start = bytes.count
      bytes.append(contentsOf: repeatElement(0, count: room))
      let count = bytes.withUnsafeMutableBytes { Foundation.read(descriptor, $0.baseAddress! + start, room) }
      bytes.removeLast(room - max(0, count))
      if count < 0 && errno == EINTR { continue }
      if count < 0 { throw failure() }
      if count == 0 { return bytes }
    }
  }

  /// Makes sure that ``replace(_:with:)`` can create its neighbour, and that no directory is in its way.
  static func requireReplaceable(_ path: String) throws(FileError) {
    var isDirectory: ObjCBool = false
    if FileManager.default.fileExists(atPath: path, isDirectory: &isDirectory), isDirectory.boolValue {
      throw FileError(path, "cannot be replaced: it is a directory")
    }
    let descriptor = open(temporary(path), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
    if descriptor < 0 { throw FileError(path, "cannot be created: \(String(cString: strerror(errno)))") }
    close(descriptor)
    unlink(temporary(path))
  }

  /// Removes the neighbours that killed processes left: `NAME.PID.tmp` of no process that runs.
  static func removeLeftovers(of path: String) {
    let directory = (path as NSString).deletingLastPathComponent
    let prefix = (path as NSString).lastPathComponent + "."
    let names =
      (try? FileManager.default.contentsOfDirectory(atPath: directory.isEmpty ? "." : directory)) ?? []
    for name in names where name.hasPrefix(prefix) && name.hasSuffix(".tmp") {
      guard let process = pid_t(name.dropFirst(prefix.count).dropLast(4)), process > 0 else { continue }
      if process == getpid() || kill(process, 0) != 0 && errno == ESRCH {
        unlink((directory.isEmpty ? "" : directory + "/") + name)
      }
    }
  }

  private static func temporary(_ path: String) -> String { path + ".\(getpid()).tmp" }

  /// Replaces a file as a whole: writes a neighbour, syncs it, renames it. Whatever fails, the old file stays.
  package static func replace(_ path: String, with bytes: [UInt8]) throws(FileError) {
    let temporary = temporary(path)
    func fail(_ what: String) -> FileError {
      let reason = String(cString: strerror(errno))
      unlink(temporary)
      return FileError(path, "\(what): \(reason)")
    }
    let descriptor = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
    if descriptor < 0 { throw fail("cannot be created") }
    var written = 0
    while written < bytes.count {
      let count = bytes.withUnsafeBytes {
        write(descriptor, $0.baseAddress! + written, bytes.count - written)
      }
      if count < 0 && errno == EINTR { continue }
      if count <= 0 {
        defer { close(descriptor) }
        throw fail("cannot be written")
      }
      written += count
    }
    if fsync(descriptor) != 0 {
      defer { close(descriptor) }
      throw fail("cannot be synced")
    }
    if close(descriptor) != 0 { throw fail("cannot be written") }
    if rename(temporary, path) != 0 { throw fail("cannot be replaced") }
    syncDirectory(of: path)
  }

  /// Makes the rename itself durable.
  private static func syncDirectory(of path: String) {
    let directory = (path as NSString).deletingLastPathComponent
    let descriptor = open(directory.isEmpty ? "." : directory, O_RDONLY)
    if descriptor >= 0 {
      fsync(descriptor)
      close(descriptor)
    }
  }
}
