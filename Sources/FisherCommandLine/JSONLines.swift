import FisherTraining

/// Values as JSON, each on a line of its own.
package struct JSONLines {
  fileprivate let output: OutputFile

  /// Writes a line.
  package func write(_ value: JSON) { output.write(value.text + "\n") }
}

extension Arguments {
  /// Where `--json` sends the lines, if it was given.
  package func jsonLines(appending: Bool = false) throws(UsageError) -> JSONLines? {
    guard let path = value("json") else { return nil }
    return JSONLines(output: try OutputFile(path, option: "--json", appending: appending))
  }

  /// Whether standard output belongs to the JSON.
  package var isQuiet: Bool { value("json") == "-" }
}
