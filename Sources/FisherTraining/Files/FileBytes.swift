import Foundation

/// Whole files, in and out.
enum FileBytes {
  /// All bytes of a file.
  static func read(_ path: String) throws(FileError) -> [UInt8] {
    var isDirectory: ObjCBool = false
    guard FileManager.default.fileExists(atPath: path, isDirectory: &isDirectory) else {
      throw FileError(path, "there is no such file")
    }
    if isDirectory.boolValue { throw FileError(path, "this is a directory, not a file") }
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    func fail() -> FileError { FileError(path, "cannot be read: \(String(cString: strerror(errno)))") }
    if descriptor < 0 { throw fail() }
    defer { close(descriptor) }
    var status = stat()
    if fstat(descriptor, &status) != 0 { throw fail() }
    // Of a FIFO or device the size is not known before its end.
    var bytes = [UInt8](repeating: 0, count: max(4096, Int(status.st_size) + 1))
    var count = 0
    while true {
      if count == bytes.count { bytes += [UInt8](repeating: 0, count: count) }
      let more = bytes.withUnsafeMutableBytes {
        Foundation.read(descriptor, $0.baseAddress! + count, $0.count - count)
      }
      if more < 0 && errno == EINTR { continue }
      if more < 0 { throw fail() }
      if more == 0 { break }
      count += more
    }
    bytes.removeLast(bytes.count - count)
    return bytes
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
  static func replace(_ path: String, with bytes: [UInt8]) throws(FileError) {
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
