import FisherRuntime
import FisherTraining

/// Where JSON Lines go: a file, or standard output for `-`.
package struct JSONLines {
  private let path: String
  private let descriptor: Int32

  /// - Throws: ``UsageError`` if the file cannot be created.
  package init(_ path: String) throws(UsageError) {
    self.path = path
    descriptor = path == "-" ? STDOUT_FILENO : open(path, O_WRONLY | O_CREAT | O_TRUNC, 0o644)
    if descriptor < 0 {
      throw UsageError("--json: cannot write to '\(path)': \(String(cString: strerror(errno)))")
    }
  }

  /// Writes a line. Results that cannot be written are a reason to end: exit status 1.
  package func write(_ value: JSON) {
    if descriptor == STDOUT_FILENO { fflush(nil) }
    if !Console.put(value.text + "\n", to: descriptor) {
      Console.error("--json: cannot write to '\(path)': \(String(cString: strerror(errno)))")
      exit(1)
    }
  }
}

extension Arguments {
  /// Where `--json` sends the lines, if it was given.
  package func jsonLines() throws(UsageError) -> JSONLines? {
    guard let path = value("json") else { return nil }
    return try JSONLines(path)
  }

  /// Whether standard output belongs to the JSON.
  package var isQuiet: Bool { value("json") == "-" }
}
