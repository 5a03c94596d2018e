/// A table as it stands in a file: numbers, and for columns of words the numbers of their words.
struct CSVTable {
  let path: String
  let columns: Int
  /// The line of the first record.
  let firstLine: Int
  /// The names of the columns, if the file has them.
  private(set) var header: [String]?
  /// Row by row.
  private(set) var numbers: [Float] = []
  /// The line of each row.
  private(set) var lines: [Int] = []
  /// The words of a column in the order of their appearance; nil for a column of numbers.
  private(set) var words: [[String]?]

  var rows: Int { lines.count }

  /// The numbers of a column.
  func column(_ j: Int) -> LazyMapSequence<LazySequence<Range<Int>>.Elements, Float> {
    (0..<rows).lazy.map { numbers[$0 * columns + j] }
  }

  /// The numbers of these columns, row by row.
  func rows(of columns: [Int]) -> [Float] {
    var chosen: [Float] = []
    chosen.reserveCapacity(rows * columns.count)
    for i in 0..<rows {
      for j in columns { chosen.append(numbers[i * self.columns + j]) }
    }
    return chosen
  }

  /// Reads all records.
  ///
  /// - Throws: ``FileError`` with the line, and the column if it is known, of the first record that does not fit.
  init(_ records: CSVRecords) throws(FileError) {
    let head = try CSVHead(records)
    path = records.path
    columns = head.columns
    firstLine = head.line
    if columns == 1 {
      throw FileError(path, at: "line \(head.line)", "one value; features and a class are needed")
    }
    // Of this function alone, so that nobody counts their owners in the loop.
    let isText = head.isText
    var (numbers, lines) = ([Float](), [Int]())
    words = isText.map { $0 ? [] : nil }
    var places = [[String: Int]](repeating: [:], count: columns)
    var (records, fields) = (records, [CSVField]())
    if try head.hasHeader() {
      _ = try records.next(&fields)
      header = fields.map(records.text)
    }
    while try records.next(&fields) {
      guard fields.count == columns else {
        throw FileError(
          path, at: "line \(records.recordLine)",
          "\(fields.count) values, where line \(head.line) has \(columns)")
      }
      for j in 0..<columns {
        let field = fields[j]
        if !isText[j], let number = records.number(field), number.isFinite {
          numbers.append(number)
        } else if isText[j] {
          let word = records.text(field)
          numbers.append(Float(Self.place(of: word, &places[j], &words[j])))
        } else {
          throw head.notANumber(records.text(field), line: records.recordLine, column: j)
        }
      }
      lines.append(records.recordLine)
    }
    (self.numbers, self.lines) = (numbers, lines)
    if header == nil, try head.namesColumnsByNumbers(self) { removeFirstRow(head) }
  }

  private static func place(of word: String, _ places: inout [String: Int], _ words: inout [String]?) -> Int {
    if let place = places[word] { return place }
    let place = places.count
    places[word] = place
    words?.append(word)
    return place
  }

  private mutating func removeFirstRow(_ head: CSVHead) {
    header = head.sample.first
    numbers.removeFirst(columns)
    lines.removeFirst()
    // No other row has its word.
    for j in words.indices where words[j] != nil {
      words[j]?.removeFirst()
      for i in 0..<rows { numbers[i * columns + j] -= 1 }
    }
  }
}
