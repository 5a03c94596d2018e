import FisherRuntime

/// Where results go that an option names: a file, FIFO or device, which is written in place, or standard output for `-`.
package final class OutputFile {
  private let option: String
  private let path: String
  private let descriptor: Int32

  /// - Parameters:
  ///   - option: for messages, with its dashes.
  ///   - appending: lines are added to a file; otherwise they replace what it holds.
  /// - Throws: ``UsageError`` if the file cannot be opened.
  package init(_ path: String, option: String, appending: Bool = false) throws(UsageError) {
    self.option = option
    self.path = path
    let mode = O_CREAT | O_CLOEXEC | (appending ? O_APPEND | O_RDWR : O_TRUNC | O_WRONLY)
    var file = path == "-" ? STDOUT_FILENO : open(path, mode, 0o644)
    // What can only be written has no line that one could have begun.
    if file < 0 && appending { file = open(path, O_CREAT | O_CLOEXEC | O_APPEND | O_WRONLY, 0o644) }
    if file < 0 {
      throw UsageError("\(option): cannot write to '\(path)': \(String(cString: strerror(errno)))")
    }
    descriptor = file
    if appending { endLine() }
  }

  deinit {
    if descriptor != STDOUT_FILENO && close(descriptor) != 0 { fail() }
  }

  /// Writes a text. Results that cannot be written are a reason to end: exit status 1.
  package func write(_ text: String) {
    if descriptor == STDOUT_FILENO { Console.flush() }
    if !Console.put(text, to: descriptor) { fail() }
  }

  private func fail() -> Never {
    Console.fail(descriptor == STDOUT_FILENO ? "standard output" : "\(option) '\(path)'", errno)
  }

  /// A run that was killed may have left the beginning of a line.
  private func endLine() {
    var status = stat()
    guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG, status.st_size > 0 else {
      return
    }
    var last: UInt8 = 0
    if pread(descriptor, &last, 1, status.st_size - 1) == 1 && last != UInt8(ascii: "\n") { write("\n") }
  }
}
