import Foundation

/// Tables of numbers with a class in each row, as spreadsheets and data frames write them.
enum CSV {
  /// Reads a table. Separators are commas, semicolons or tabs; a first line of words names the columns; classes are
  /// integers from 0 to 65535, or words, which are numbered in alphabetical order. ``CSVLayout`` says in which column.
  ///
  /// - Throws: ``FileError`` with the number of the first bad line.
  static func dataset(_ path: String) throws(FileError) -> Dataset {
    let bytes = try FileBytes.readData(path)
    let start = try textStart(bytes, path)
    let table: CSVTable
    do {
      table = try bytes.withUnsafeBufferPointer { bytes throws(FileError) in
        try CSVTable(
          CSVRecords(
            bytes, from: start, separator: CSVRecords.separator(bytes, from: start), path: path))
      }
    }
    guard table.rows >= 2 else {
      throw FileError(
        path, "\(table.rows) rows; at least two are needed, one to learn from and one to test with")
    }
    let layout = try CSVLayout(table)
    var notes = layout.notes
    let classes = try classes(table, layout.label, &notes)
    let features = layout.features
    var floats: [Float] = []
    floats.reserveCapacity(table.rows * features.count)
    for i in 0..<table.rows {
      for j in features { floats.append(table.numbers[i * table.columns + j]) }
    }
    var data = Dataset(
      name: (path as NSString).lastPathComponent, shape: ExampleShape(channels: features.count),
      storage: .floats(floats), targets: .classes(classes, count: (classes.max() ?? 0) + 1))
    data.notes = notes
    return data
  }

  /// Where the text begins: behind a mark of UTF-8.
  private static func textStart(_ bytes: [UInt8], _ path: String) throws(FileError) -> Int {
    if bytes.starts(with: [0xEF, 0xBB, 0xBF]) { return 3 }
    if bytes.starts(with: [0xFF, 0xFE]) || bytes.starts(with: [0xFE, 0xFF]) {
      throw FileError(path, at: "byte 0", "the text is in UTF-16; UTF-8 can be read")
    }
    return 0
  }

  private static func classes(
    _ table: CSVTable, _ label: Int, _ notes: inout [String]
  ) throws(FileError) -> [Int] {
    let column = table.column(label)
    if let words = table.words[label] {
      if let place = words.firstIndex(of: "") {
        let row = column.firstIndex(of: Float(place)) ?? 0
        throw FileError(
          table.path, at: "line \(table.lines[row]), column \(label + 1)", "the class is missing")
      }
      let sorted = words.sorted()
      let ranks = Dictionary(uniqueKeysWithValues: sorted.enumerated().map { ($1, $0) })
      if words.count > 65536 || words.count == table.rows && table.rows >= 20 {
        throw FileError(
          table.path, at: "column \(label + 1)", "\(words.count) different classes in \(table.rows) rows")
      }
      notes.append("classes " + sorted.prefix(10).joined(separator: ", ") + (sorted.count > 10 ? ", …" : ""))
      return column.map { ranks[words[Int($0)]] ?? 0 }
    }
    if let row = column.firstIndex(where: { $0 != $0.rounded() || !(0..<65536 ~= $0) }) {
      throw FileError(
        table.path, at: "line \(table.lines[row]), column \(label + 1)",
        "the class '\(text(of: column[row]))' is not an integer from 0 to 65535")
    }
    let values = CSVLayout.Values(column)
    if values.areTargets {
      throw FileError(
        table.path, at: "column \(label + 1)",
        "\(values.distinct) different integers in \(table.rows) rows are targets of a regression, not classes"
      )
    }
    return column.map { Int($0) }
  }

  /// `-1`, not `-1.0`.
  private static func text(of x: Float) -> String { x == x.rounded() && abs(x) < 1e7 ? "\(Int(x))" : "\(x)" }
}
