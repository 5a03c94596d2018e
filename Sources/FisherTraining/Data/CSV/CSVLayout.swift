/// Which columns of a table hold the targets, which are features, and which are neither.
struct CSVLayout {
  /// One, unless several are named.
  let targets: [Int]
  let features: [Int]
  /// What a reader should know of the choice.
  private(set) var notes: [String] = []

  /// The classes are in the column that the header calls so, else in the only column of words, else in the last one; in
  /// the first if only that one can hold them. Target numbers are in the columns that are named, else in the column that the
  /// header calls so, else in the last one. An index in the first column is no feature.
  ///
  /// - Throws: ``FileError`` if columns of words are left, if the classes may be in the first or the last column, or if a
  ///   named column is not there or no other one is.
  init(_ table: CSVTable, _ kind: TargetKind = .classes) throws(FileError) {
    var named = Self.namedLabel(table).map { [$0] }
    if case .columns(let names) = kind { named = try Self.columns(names, table) }
    var candidates = Array(0..<table.columns)
    if table.columns > 2, named?.contains(0) != true, let what = Self.index(table) {
      candidates.removeFirst()
      notes.append("column 1, \(what), is no feature")
    }
    let words = candidates.filter { table.words[$0] != nil }
    var targets = named ?? [table.columns - 1]
    if named == nil && kind == .classes {
      if let only = words.first, words.count == 1 {
        targets = [only]
      } else if words.isEmpty, try Self.isFirst(candidates[0], table) {
        targets = [candidates[0]]
      }
    }
    if targets != [table.columns - 1] {
      let places = targets.map { "\($0 + 1)" }.joined(separator: ", ")
      let what = kind == .classes ? "classes" : "target numbers"
      notes.append("the \(what) are in column\(targets.count == 1 ? "" : "s") \(places)")
    }
    (self.targets, features) = (targets, candidates.filter { !targets.contains($0) })
    if features.isEmpty {
      throw FileError(
        table.path, at: "line \(table.firstLine)", "all columns are targets, and none is a feature")
    }
    if let bad = words.first(where: { !targets.contains($0) || kind != .classes }),
      let line = table.lines.first
    {
      throw FileError(
        table.path, at: "line \(line), column \(bad + 1)",
        "'\(table.words[bad]?.first ?? "")' is not a finite number")
    }
  }

  /// The columns with these names, or with these places in a table whose columns have no names.
  private static func columns(_ names: [String], _ table: CSVTable) throws(FileError) -> [Int] {
    func refusal(_ reason: String) -> FileError {
      FileError(table.path, at: "line \(table.firstLine)", reason)
    }
    let known = table.header ?? (1...table.columns).map { "\($0)" }
    var columns: [Int] = []
    for name in names {
      let found = known.indices.filter { known[$0] == name }
      if found.count > 1 { throw refusal("\(found.count) columns are called '\(name)'") }
      guard let column = found.first else {
        let reason =
          table.header == nil
          ? "no header names a column '\(name)'; without one they are 1 to \(table.columns)"
          : "no column is called '\(name)'; there are " + known.joined(separator: ", ")
        throw refusal(reason + " (--target classes, regression, or names of columns)")
      }
      if columns.contains(column) { throw refusal("the column '\(name)' is named twice") }
      columns.append(column)
    }
    return columns
  }

  /// The column that the header names as that of the classes: the last, or the only one.
  private static func namedLabel(_ table: CSVTable) -> Int? {
    guard let header = table.header?.map({ $0.lowercased() }) else { return nil }
    let names: Set = ["class", "classes", "label", "labels", "target", "targets"]
    let last = table.columns - 1
    if names.contains(header[last]) || header[last] == "y" { return last }
    let found = header.indices.filter { names.contains(header[$0]) || $0 == 0 && header[$0] == "y" }
    return found.count == 1 ? found[0] : nil
  }

  /// What kind of index the first column is, if it is one: words that are all different, the numbers of the rows, or what
  /// a data frame calls so.
  private static func index(_ table: CSVTable) -> String? {
    guard table.rows >= 3 else { return nil }
    let name = table.header?[0].lowercased()
    if name == "" || name == "unnamed: 0" { return "the index of the rows" }
    if let words = table.words[0] { return words.count == table.rows ? "a name of each row" : nil }
    let column = table.column(0)
    let names: Set = ["index", "id", "row", "#"]
    if let name {
      return names.contains(name) && Set(column).count == table.rows ? "'\(name)'" : nil
    }
    let start = column[0]
    let counts = (start == 0 || start == 1) && column.enumerated().allSatisfy { Float($0) + start == $1 }
    return counts ? "which numbers the rows" : nil
  }

  /// Whether the classes are in this first column of numbers, not in the last.
  private static func isFirst(_ first: Int, _ table: CSVTable) throws(FileError) -> Bool {
    let last = table.columns - 1
    guard table.rows >= 5, first < last else { return false }
    let (front, back) = (Values(table.column(first)), Values(table.column(last)))
    guard front.areClasses && front.areWithoutGaps else { return false }
    if back.distinct == 1 || back.fractions * 2 > table.rows { return true }
    if table.rows >= 20 && back.areClasses && !back.areWithoutGaps {
      throw FileError(
        table.path,
        "the classes may be in column \(first + 1) or in column \(last + 1): a first line that calls one of them 'class' tells"
      )
    }
    return false
  }
}

extension CSVLayout {
  /// What kind of numbers a column has.
  struct Values {
    let count: Int
    let distinct: Int
    /// Those that are no integers.
    let fractions: Int
    let lowest: Float
    let highest: Float

    init(_ column: some Collection<Float>) {
      count = column.count
      distinct = Set(column).count
      fractions = column.count { $0 != $0.rounded() }
      lowest = column.min() ?? 0
      highest = column.max() ?? 0
    }

    /// More numbers than classes could have: targets of a regression.
    var areTargets: Bool { count >= 20 && distinct * 2 > count }

    var areClasses: Bool { fractions == 0 && lowest >= 0 && highest < 65536 && distinct >= 2 && !areTargets }

    /// From 0 or 1 on every integer occurs.
    var areWithoutGaps: Bool { lowest <= 1 && Int(highest - lowest) + 1 == distinct }
  }
}
