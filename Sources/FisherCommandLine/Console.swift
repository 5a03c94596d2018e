import FisherRuntime
import Synchronization

/// Text for people. What cannot be written ends the program: one line on standard error, and exit status 1.
package enum Console {
  /// To be called first. A closed standard descriptor must not become the first file that is opened, and a reader that
  /// goes away is an error like others, not a silent end.
  package static func prepare() {
    for descriptor in Int32(0)...2 where fcntl(descriptor, F_GETFD) < 0 {
      // What is opened gets the lowest free number. Not for writing: what should have been written must fail.
      _ = open("/dev/null", O_RDONLY)
    }
    signal(SIGPIPE, SIG_IGN)
  }

  /// Hands over all that was printed, and makes sure that it arrived.
  package static func flush() {
    errno = 0
    if fflush(nil) != 0 || standardOutput.map({ ferror($0) != 0 }) ?? false { fail("standard output", errno) }
  }

  /// `stdout` by its address: to the compiler it is a variable that other threads may change, though nobody does.
  private static var standardOutput: UnsafeMutablePointer<FILE>? {
    dlsym(nil, "stdout")?.load(as: UnsafeMutablePointer<FILE>?.self)
  }

  private static let farewell = Mutex<(@Sendable () -> Void)?>(nil)

  /// What is done before the program ends because something cannot be written.
  package static func beforeFailing(_ action: @escaping @Sendable () -> Void) {
    farewell.withLock { $0 = action }
  }

  static func fail(_ place: String, _ code: Int32) -> Never {
    farewell.withLock { $0 }?()
    error("cannot write to \(place)" + (code == 0 ? "" : ": " + String(cString: strerror(code))))
    // Not `exit`, which would try to write what is still in buffers.
    _exit(1)
  }

  /// `fisher: MESSAGE` on standard error, on one line.
  package static func error(_ message: String) { _ = put("fisher: \(oneLine(message))\n", to: STDERR_FILENO) }

  /// Says what goes on, on standard error, to those who sent standard output into a file and would see nothing for
  /// minutes.
  package static func progress(_ what: String) {
    var status = stat()
    if fstat(STDOUT_FILENO, &status) == 0 && status.st_mode & S_IFMT == S_IFREG { error(what) }
  }

  /// Writes all of the text; false if that fails, with the reason in `errno`.
  static func put(_ text: String, to descriptor: Int32) -> Bool {
    var rest = Array(text.utf8)[...]
    while !rest.isEmpty {
      let count = rest.withUnsafeBytes { write(descriptor, $0.baseAddress, $0.count) }
      if count < 0 && errno == EINTR { continue }
      if count <= 0 { return false }
      rest = rest.dropFirst(count)
    }
    return true
  }
}

/// Text in a column, on the right unless `left`; there a space follows even text that is wider.
package func column(_ text: String, _ width: Int, left: Bool = false) -> String {
  let padding = String(repeating: " ", count: max(left ? 1 : 0, width - text.count))
  return left ? text + padding : padding + text
}

/// Names and what they are, in lines: all of that begins in one column, behind the longest name.
package func listing(_ entries: [(name: String, summary: String)]) -> [String] {
  let width = max(12, entries.map(\.name.count).max() ?? 0) + 2
  return entries.map { column($0.name, width, left: true) + $0.summary }
}

/// A number with so many digits after the point.
package func fixed(_ value: Double, _ digits: Int) -> String {
  value.isFinite ? formatted("%.\(digits)f", value) : "-"
}

/// A number with an exponent and so many digits after the point.
package func scientific(_ value: Double, _ digits: Int) -> String { formatted("%.\(digits)e", value) }

/// The C library's form of a number.
private func formatted(_ format: String, _ value: Double) -> String {
  // The longest: the 309 digits of the largest number, and those after the point.
  withUnsafeTemporaryAllocation(of: CChar.self, capacity: 400) { text in
    _ = withVaList([value]) { vsnprintf(text.baseAddress, text.count, format, $0) }
    return String(cString: text.baseAddress!)
  }
}
