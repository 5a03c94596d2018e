/// The first records of a table, by which its columns and its header are told.
struct CSVHead {
  let path: String
  /// Of the first record.
  let line: Int
  let columns: Int
  /// Fields of at most 101 records.
  let sample: [[String]]
  /// The columns of words. A column counts as one of numbers if as many of its fields are numbers as are words.
  let isText: [Bool]

  /// - Throws: ``FileError`` if a quote is not closed.
  init(_ records: CSVRecords) throws(FileError) {
    var (records, fields) = (records, [CSVField]())
    var (sample, line) = ([[String]](), 1)
    while sample.count < 101, try records.next(&fields) {
      if sample.isEmpty { line = records.recordLine }
      sample.append(fields.map(records.text))
    }
    let columns = sample.first?.count ?? 0
    // The first may be the header, and does not count unless it has to.
    let rows = sample.count > 2 ? sample.dropFirst() : sample[...]
    isText = (0..<columns).map { j in
      let column = rows.compactMap { j < $0.count ? $0[j] : nil }
      return column.count(where: Self.isName) > column.count { Self.number($0) != nil }
    }
    path = records.path
    (self.line, self.columns, self.sample) = (line, columns, sample)
  }

  /// Whether the first record names the columns.
  ///
  /// A header has a word in every column of numbers, and no word of its columns of words comes again below. A record that
  /// lacks a number, or misspells one, is none.
  ///
  /// - Throws: ``FileError`` if some of its fields are numbers where numbers are wanted, and others are not.
  func hasHeader() throws(FileError) -> Bool {
    guard let first = sample.first else { return false }
    let numeric = first.indices.filter { !isText[$0] }
    guard let bad = numeric.first(where: { Self.number(first[$0]) == nil }) else {
      return numeric.isEmpty && sample.count < 2
    }
    // The index of a data frame has no name, and its columns have numbers.
    if first.count > 1, first[0].isEmpty, first.indices.dropFirst().allSatisfy({ first[$0] == "\($0 - 1)" }) {
      return true
    }
    let words = numeric.filter { Self.number(first[$0]) == nil }
    let comesAgain = first.indices.contains { j in
      isText[j] && sample.dropFirst().contains { j < $0.count && $0[j] == first[j] }
    }
    if words.count == numeric.count && words.contains(where: { Self.isName(first[$0]) }) && !comesAgain {
      return true
    }
    throw notANumber(first[bad], line: line, column: bad)
  }

  /// Whether the first record is `0,1,2,3`, the numbers of the columns, and cannot be an example.
  ///
  /// - Throws: ``FileError`` if it may be either.
  func namesColumnsByNumbers(_ table: CSVTable) throws(FileError) -> Bool {
    guard let first = sample.first, table.rows > 2, isText.contains(false) else { return false }
    for j in first.indices {
      guard let words = table.words[j] else {
        if first[j] != "\(j)" { return false }
        continue
      }
      if table.column(j).dropFirst().contains(0) || words.isEmpty { return false }
    }
    let rows = (1..<table.rows).lazy.map { i in table.numbers[i * columns..<(i + 1) * columns] }
    if rows.contains(where: { $0.elementsEqual(table.numbers[..<columns]) }) { return false }
    let hasDecimals = first.indices.contains { j in
      !isText[j] && sample.dropFirst().allSatisfy { $0[j].contains { ".eE".contains($0) } }
    }
    let last = Float(columns - 1)
    if hasDecimals || isText[columns - 1] || !table.column(columns - 1).dropFirst().contains(last) {
      return true
    }
    throw FileError(
      path, at: "line \(line)",
      "'\(first.joined(separator: ","))' may number the columns or be an example; name the columns by words, or remove it"
    )
  }

  func notANumber(_ text: String, line: Int, column: Int) -> FileError {
    FileError(path, at: "line \(line), column \(column + 1)", "'\(text)' is not a finite number")
  }

  private static func number(_ text: String) -> Float? {
    var text = text
    return text.withUTF8 { bytes in bytes.baseAddress.flatMap { DecimalText.float($0, bytes.count) } }
  }

  /// A word that neither begins as numbers do nor says that one is missing.
  private static func isName(_ text: String) -> Bool {
    let missing: Set = ["na", "n/a", "nan", "null", "none", "nil", "missing", "?", "inf", "infinity"]
    return !(text.first.map { "0123456789+-.".contains($0) } ?? true) && !missing.contains(text.lowercased())
  }
}
