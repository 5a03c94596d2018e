/// A setting in the environment that does not fit this machine.
public struct MachineError: Error, CustomStringConvertible {
  /// One line: what was wanted, what came, where.
  public let description: String

  package init(_ description: String) { self.description = description }

  /// The value of `body`; if it throws, one line on standard error and exit status 2.
  package static func exiting<T>(_ body: () throws(MachineError) -> T) -> T {
    do {
      return try body()
    } catch {
      let line = "fisher: \(error.description)\n"
      _ = line.withCString { write(2, $0, strlen($0)) }
      exit(2)
    }
  }
}

/// The process's environment.
package enum Environment {
  package static subscript(_ name: String) -> String? { getenv(name).map { String(cString: $0) } }

  /// Where files for a while are made: `TMPDIR`, or `/tmp`.
  package static var temporaryFolder: String { self["TMPDIR"] ?? "/tmp" }
}

/// The text of a small file, such as those of /proc and /sys; nil if it cannot be read.
package func readSmallFile(_ path: String) -> String? {
  let file = open(path, O_RDONLY)
  if file < 0 { return nil }
  defer { close(file) }
  var bytes: [UInt8] = []
  var buffer = [UInt8](repeating: 0, count: 1 << 16)
  while true {
    let count = read(file, &buffer, buffer.count)
    if count <= 0 { break }
    bytes += buffer[..<count]
  }
  return String(decoding: bytes, as: UTF8.self)
}
