import FisherRuntime

/// Files that gzip has compressed, unpacked by the system's zlib, if there is one.
enum Gunzip {
  /// Whether a file begins as gzip's do.
  static func isCompressed(_ bytes: [UInt8]) -> Bool { bytes.starts(with: [0x1F, 0x8B]) }

  /// All bytes of a compressed file, unpacked.
  ///
  /// - Throws: ``FileError`` if it is damaged or truncated, needs more memory than there is, or zlib is missing.
  static func read(_ path: String) throws(FileError) -> [UInt8] {
    guard let zlib = Zlib.shared else {
      throw FileError(path, "it is compressed, and there is no zlib (libz.so.1) here to unpack it: gunzip it")
    }
    guard let file = zlib.open(path, "rb") else {
      throw FileError(path, "cannot be read: \(String(cString: strerror(errno)))")
    }
    defer { _ = zlib.close(file) }
    var bytes: [UInt8] = []
    while true {
      let room = max(1 << 20, bytes.count)
      if let shortage = MachineMemory.shortage(Double(bytes.count + room)) {
        throw FileError(path, "unpacked it \(shortage)")
      }
      let start = bytes.count
      bytes.append(contentsOf: repeatElement(0, count: room))
      let count = bytes.withUnsafeMutableBytes {
        zlib.read(file, $0.baseAddress! + start, UInt32(min(room, 1 << 30)))
      }
      bytes.removeLast(room - Int(max(0, count)))
      if count == 0 { break }
      if count < 0 { throw FileError(path, "cannot be unpacked: \(zlib.message(file, path))") }
    }
    // At the end of a truncated file, zlib gives what there is.
    var status: Int32 = 0
    _ = zlib.error(file, &status)
    if status < 0 { throw FileError(path, "cannot be unpacked: \(zlib.message(file, path))") }
    return bytes
  }
}

/// The functions of zlib that read a file, looked up by name: the library needs no headers and is not needed to build.
private struct Zlib: Sendable {
  typealias Open = @convention(c) (UnsafePointer<CChar>, UnsafePointer<CChar>) -> OpaquePointer?
  typealias Read = @convention(c) (OpaquePointer, UnsafeMutableRawPointer, UInt32) -> Int32
  typealias Close = @convention(c) (OpaquePointer) -> Int32
  typealias Failure = @convention(c) (OpaquePointer, UnsafeMutablePointer<Int32>) -> UnsafePointer<CChar>?

  let open: Open
  let read: Read
  let close: Close
  let error: Failure

  static let shared = Zlib()

  private init?() {
    let names: [String] = ["libz.so.1", "libz.so", "libz.dylib"]
    guard let library = names.lazy.compactMap({ (name: String) in dlopen(name, RTLD_NOW) }).first,
      let open = dlsym(library, "gzopen"), let read = dlsym(library, "gzread"),
      let close = dlsym(library, "gzclose"), let error = dlsym(library, "gzerror")
    else { return nil }
    self.open = unsafeBitCast(open, to: Open.self)
    self.read = unsafeBitCast(read, to: Read.self)
    self.close = unsafeBitCast(close, to: Close.self)
    self.error = unsafeBitCast(error, to: Failure.self)
  }

  /// What zlib says of its last failure.
  /// What went wrong, without the path, which zlib puts first.
  func message(_ file: OpaquePointer, _ path: String) -> String {
    var status: Int32 = 0
    guard let text = error(file, &status).map({ String(cString: $0) }) else { return "unknown reason" }
    return oneLine(text.hasPrefix(path + ": ") ? String(text.dropFirst(path.count + 2)) : text)
  }
}
