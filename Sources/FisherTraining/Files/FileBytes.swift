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
    guard let data = FileManager.default.contents(atPath: path) else {
      throw FileError(path, "cannot be read: \(String(cString: strerror(errno)))")
    }
    return [UInt8](data)
  }

  /// Replaces a file as a whole: writes a neighbour, syncs it, renames it. Whatever fails, the old file stays.
  static func replace(_ path: String, with bytes: [UInt8]) throws(FileError) {
    let temporary = path + ".\(getpid()).tmp"
    func fail(_ what: String) -> FileError {
      let reason = String(cString: strerror(errno))
      unlink(temporary)
      return FileError(path, "\(what): \(reason)")
    }
    let descriptor = open(temporary, O_WRONLY | O_CREAT | O_TRUNC, 0o644)
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
    close(descriptor)
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
