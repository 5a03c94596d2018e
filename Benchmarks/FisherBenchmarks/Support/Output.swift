import FisherTraining
import Foundation

/// Where JSON Lines go: a file, or standard output for `-`.
package struct JSONLines {
  private let handle: FileHandle

  /// - Throws: ``UsageError`` if the file cannot be created.
  package init(_ path: String) throws(UsageError) {
    if path == "-" {
      handle = .standardOutput
      return
    }
    guard FileManager.default.createFile(atPath: path, contents: nil),
      let file = FileHandle(forWritingAtPath: path)
    else { throw UsageError("--json: cannot write to '\(path)'") }
    handle = file
  }

  package func write(_ value: JSON) { handle.write(Data((value.text + "\n").utf8)) }
}

/// Text in a column, on the right unless `left`.
package func column(_ text: String, _ width: Int, left: Bool = false) -> String {
  let padding = String(repeating: " ", count: max(0, width - text.count))
  return left ? text + padding : padding + text
}

/// A number with so many digits after the point.
package func fixed(_ value: Double, _ digits: Int) -> String {
  value.isFinite ? String(format: "%.\(digits)f", value) : "-"
}
