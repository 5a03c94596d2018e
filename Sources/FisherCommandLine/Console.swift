import FisherRuntime

/// Text for people.
package enum Console {
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

/// Text in a column, on the right unless `left`.
package func column(_ text: String, _ width: Int, left: Bool = false) -> String {
  let padding = String(repeating: " ", count: max(0, width - text.count))
  return left ? text + padding : padding + text
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
