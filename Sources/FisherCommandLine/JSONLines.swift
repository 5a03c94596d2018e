import FisherRuntime
import FisherTraining

/// Where JSON Lines go: a file, FIFO or device, which is written in place, or standard output for `-`.
package final class JSONLines {
  private let path: String
  private let descriptor: Int32

  /// - Parameter appending: lines are added to a file; otherwise they replace what it holds.
  /// - Throws: ``UsageError`` if the file cannot be opened.
  package init(_ path: String, appending: Bool = false) throws(UsageError) {
    self.path = path
    let mode = O_CREAT | O_CLOEXEC | (appending ? O_APPEND | O_RDWR : O_TRUNC | O_WRONLY)
    var file = path == "-" ? STDOUT_FILENO : open(path, mode, 0o644)
    // What can only be written has no line that one could have begun.
    if file < 0 && appending { file = open(path, O_CREAT | O_CLOEXEC | O_APPEND | O_WRONLY, 0o644) }
    if file < 0 {
      throw UsageError("--json: cannot write to '\(path)': \(String(cString: strerror(errno)))")
    }
    descriptor = file
    if appending { endLine() }
  }

  deinit {
    if descriptor != STDOUT_FILENO && close(descriptor) != 0 { fail() }
  }

  /// Writes a line. Results that cannot be written are a reason to end: exit status 1.
  package func write(_ value: JSON) { put(value.text + "\n") }

  private func put(_ text: String) {
    if descriptor == STDOUT_FILENO { Console.flush() }
    if !Console.put(text, to: descriptor) { fail() }
  }

  private func fail() -> Never {
    Console.fail(descriptor == STDOUT_FILENO ? "standard output" : "--json '\(path)'", errno)
  }

  /// A run that was killed may have left the beginning of a line.
  private func endLine() {
    var status = stat()
    guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG, status.st_size > 0 else {
      return
    }
    var last: UInt8 = 0
    if pread(descriptor, &last, 1, status.st_size - 1) == 1 && last != UInt8(ascii: "\n") { put("\n") }
  }
}

extension Arguments {
  /// Where `--json` sends the lines, if it was given.
  package func jsonLines(appending: Bool = false) throws(UsageError) -> JSONLines? {
    guard let path = value("json") else { return nil }
    return try JSONLines(path, appending: appending)
  }

  /// Whether standard output belongs to the JSON.
  package var isQuiet: Bool { value("json") == "-" }
}
