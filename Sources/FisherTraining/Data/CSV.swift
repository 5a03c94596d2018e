import Foundation

/// Tables of numbers, the class of each row in the last column.
enum CSV {
  /// Reads a table. A first line that does not begin with a number is a header.
  ///
  /// - Throws: ``FileError`` with the number of the first bad line.
  static func dataset(_ path: String) throws(FileError) -> Dataset {
    var text = String(decoding: try FileBytes.readData(path), as: UTF8.self)
    if text.hasPrefix("\u{FEFF}") { text.removeFirst() }
    var features: [Float] = []
    var classes: [Int] = []
    var width: (columns: Int, line: Int)?
    // Not by "\n": to Swift the end of a line under Windows is one character of its own.
    let lines = text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline)
    for (index, line) in lines.enumerated() {
      let place = "line \(index + 1)"
      let fields = line.split(separator: ",", omittingEmptySubsequences: false).map { field in
        field.trimmingCharacters(in: .whitespacesAndNewlines)
      }
      if fields == [""] { continue }
      if index == 0, Double(fields[0]) == nil { continue }
      if let width, width.columns != fields.count {
        throw FileError(
          path, at: place, "\(fields.count) values, where line \(width.line) has \(width.columns)")
      }
      guard fields.count >= 2 else {
        throw FileError(path, at: place, "one value; features and a class are needed")
      }
      width = width ?? (fields.count, index + 1)
      for (column, field) in fields.dropLast().enumerated() {
        guard let value = Float(field), value.isFinite else {
          throw FileError(path, at: "\(place), column \(column + 1)", "'\(field)' is not a finite number")
        }
        features.append(value)
      }
      guard let label = Int(fields[fields.count - 1]), 0..<65536 ~= label else {
        throw FileError(
          path, at: "\(place), column \(fields.count)",
          "the class '\(fields[fields.count - 1])' is not an integer from 0 to 65535")
      }
      classes.append(label)
    }
    guard let width, classes.count >= 2 else {
      throw FileError(
        path, "\(classes.count) rows; at least two are needed, one to learn from and one to test with")
    }
    return Dataset(
      name: (path as NSString).lastPathComponent, shape: ExampleShape(channels: width.columns - 1),
      storage: .floats(features), targets: .classes(classes, count: (classes.max() ?? 0) + 1))
  }
}
