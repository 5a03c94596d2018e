import Foundation

/// A file that stays open for reading, and is to stay as it was then.
final class OpenFile: Sendable {
  let path: String
  private let descriptor: Int32
  private let stamp: Stamp

  /// What changes when somebody writes: the size, and the time of the last change in seconds and nanoseconds.
  private struct Stamp: Equatable, Sendable {
    let size, seconds, nanoseconds: Int
  }

  /// - Throws: ``FileError`` if it cannot be opened or is no file.
  init(_ path: String) throws(FileError) {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    if descriptor < 0 {
      let reason = errno
      throw FileError(
        path,
        reason == ENOENT
          ? "there is no such file" : "cannot be read: \(String(cString: strerror(reason)))")
    }
    guard let stamp = Self.stamp(of: descriptor) else {
      close(descriptor)
      throw FileError(path, "this is a directory, not a file")
    }
    (self.path, self.descriptor, self.stamp) = (path, descriptor, stamp)
  }

  deinit { close(descriptor) }

  /// In bytes.
  var size: Int { stamp.size }

  /// The first bytes, fewer if it has not so many.
  func head(_ count: Int) throws(FileError) -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: min(count, size))
    try read(at: 0, to: &bytes, bytes.indices)
    return bytes
  }

  /// Reads the bytes from a place on.
  ///
  /// - Throws: ``FileError`` if it has not so many, or they cannot be read.
  func read(at place: Int, to bytes: inout [UInt8], _ range: Range<Int>) throws(FileError) {
    var done = 0
    while done < range.count {
      let count = bytes.withUnsafeMutableBytes {
        pread(
          descriptor, $0.baseAddress! + range.lowerBound + done, range.count - done, off_t(place + done))
      }
      if count < 0 && errno == EINTR { continue }
      if count < 0 { throw FileError(path, "cannot be read: \(String(cString: strerror(errno)))") }
      if count == 0 { throw FileError(path, "it had \(size) bytes and now ends after \(place + done)") }
      done += count
    }
  }

  /// - Throws: ``FileError`` if its size or the time of its last change is another than when it was opened.
  func requireUnchanged() throws(FileError) {
    guard Self.stamp(of: descriptor) == stamp else {
      throw FileError(path, "it has changed since it was opened, and the run goes by what it was")
    }
  }

  /// Nil for what is no file of known size.
  private static func stamp(of descriptor: Int32) -> Stamp? {
    var status = stat()
    guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else { return nil }
    #if canImport(Darwin)
      let time = status.st_mtimespec
    #else
      let time = status.st_mtim
    #endif
    return Stamp(size: Int(status.st_size), seconds: Int(time.tv_sec), nanoseconds: Int(time.tv_nsec))
  }
}
