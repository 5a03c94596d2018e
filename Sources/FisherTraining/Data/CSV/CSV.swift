import Foundation

/// Tables of numbers with a class in each row, as spreadsheets and data frames write them.
package enum CSV {
  /// Reads a table. Separators are commas, semicolons or tabs; a first line of words names the columns; classes are
  /// integers from 0 to 65535, or words, which are numbered in alphabetical order. ``CSVLayout`` says in which columns.
  ///
  /// - Throws: ``FileError`` with the number of the first bad line.
  package static func dataset(_ path: String, as kind: TargetKind = .classes) throws(FileError) -> Dataset {
    let table = try table(path)
    guard table.rows >= 2 else {
      throw FileError(
        path, "\(table.rows) rows; at least two are needed, one to learn from and one to test with")
    }
    let layout = try CSVLayout(table, kind)
    var (notes, names, targets) = (layout.notes, [String]?.none, Targets.inputs)
    switch kind {
    case .classes:
      let label = layout.targets[0]
      let classes = try classes(table, label, &notes)
      targets = .classes(classes, count: (classes.max() ?? 0) + 1)
      names = table.words[label]?.sorted()
    case .regression, .columns: targets = .values(table.rows(of: layout.targets), width: layout.targets.count)
    }
    let features = layout.features
    var data = Dataset(
      name: (path as NSString).lastPathComponent, shape: ExampleShape(channels: features.count),
      storage: .floats(table.rows(of: features)), targets: targets)
    data.notes = notes
    data.classNames = names
    if case .columns(let names) = kind { data.targetNames = names }
    return data
  }

  private static func table(_ path: String) throws(FileError) -> CSVTable {
    let bytes = try FileBytes.readData(path)
    let start = try textStart(bytes, path)
    return try bytes.withUnsafeBufferPointer { bytes throws(FileError) in
      try CSVTable(
        CSVRecords(bytes, from: start, separator: CSVRecords.separator(bytes, from: start), path: path))
    }
  }

  /// Rows of `width` numbers without any targets; a first line that holds no number names the columns.
  ///
  /// - Throws: ``FileError`` with the number of the first bad line.
  static func rows(_ path: String, width: Int) throws(FileError) -> [[Float]] {
    let bytes = try FileBytes.readData(path)
    let start = try textStart(bytes, path)
    return try bytes.withUnsafeBufferPointer { bytes throws(FileError) in
      var records = CSVRecords(
        bytes, from: start, separator: CSVRecords.separator(bytes, from: start), path: path)
      var (fields, rows, isFirst) = ([CSVField](), [[Float]](), true)
      while try records.next(&fields) {
        let numbers = fields.map { records.number($0) }
        defer { isFirst = false }
        if isFirst && numbers.allSatisfy({ $0 == nil }) { continue }
        guard fields.count == width else {
          throw FileError(
            path, at: "line \(records.recordLine)", "\(fields.count) values, the network takes \(width)")
        }
        var row: [Float] = []
        for (column, number) in numbers.enumerated() {
          guard let number, number.isFinite else {
            throw FileError(
              path, at: "line \(records.recordLine), column \(column + 1)",
              "'\(records.text(fields[column]))' is not a finite number")
          }
          row.append(number)
        }
        rows.append(row)
      }
      return rows
    }
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
    let values = CSVLayout.Values(column)
    if let row = column.firstIndex(where: { $0 != $0.rounded() || !(0..<65536 ~= $0) }) {
      throw FileError(
        table.path, at: "line \(table.lines[row]), column \(label + 1)",
        "the class '\(text(of: column[row]))' is not an integer from 0 to 65535"
          + (values.fractions > 0 && values.count >= 20 ? " (--target regression)" : ""))
    }
    if values.areTargets {
      throw FileError(
        table.path, at: "column \(label + 1)",
        "\(values.distinct) different integers in \(table.rows) rows are targets of a regression, not classes (--target regression)"
      )
    }
    return column.map { Int($0) }
  }

  /// `-1`, not `-1.0`.
  private static func text(of x: Float) -> String { x == x.rounded() && abs(x) < 1e7 ? "\(Int(x))" : "\(x)" }
}
