import FisherTraining
import Testing

/// Several columns of a table are the targets of a regression, by their names.
@Suite struct CSVTargetTests {
  private static let table = "a,p,b,q r\n1,0.5,3,7\n4,-2,6,8\n7,1e3,9,-1\n"

  private func read(_ text: String, _ target: String) throws -> Dataset {
    let folder = TemporaryFolder()
    defer { withExtendedLifetime(folder) {} }
    return try CSV.dataset(folder.write("t.csv", text), as: #require(TargetKind(target)))
  }

  /// Features in the order of the file, targets in that of the names, whichever these are.
  @Test(
    arguments: [
      ("p,q r", [0.5, 7, -2, 8, 1000, -1], [1, 3, 4, 6, 7, 9], "columns 2, 4"),
      (" q r , p ", [7, 0.5, 8, -2, -1, 1000], [1, 3, 4, 6, 7, 9], "columns 4, 2"),
      ("a", [1, 4, 7], [0.5, 3, 7, -2, 6, 8, 1000, 9, -1], "column 1"),
      ("b,a,q r", [3, 1, 7, 6, 4, 8, 9, 7, -1], [0.5, -2, 1000], "columns 3, 1, 4"),
    ] as [(String, [Float], [Float], String)])
  func namedColumnsAreTargets(names: String, values: [Float], features: [Float], places: String) throws {
    for text in [Self.table, Self.table.replacing(",", with: ";"), "\u{FEFF}" + Self.table] {
      let data = try read(text, names)
      #expect(data.targets == .values(values, width: values.count / 3) && data.classCount == nil)
      #expect(try data.rows(0..<3).flatMap(\.self) == features && data.outputCount == values.count / 3)
      #expect(data.notes == ["the target numbers are in \(places)"])
      #expect(data.targetNames == names.split(separator: ",").map { $0.trimmed })
    }
  }

  /// Without a header columns have numbers; the last one alone needs no word to the reader.
  @Test func columnsWithoutNamesHavePlaces() throws {
    let text = "1,2.5,0.5,9\n3,4.5,1.5,9\n6,6.5,2.5,8\n"
    let data = try read(text, "3,1")
    #expect(data.targets == .values([0.5, 1, 1.5, 3, 2.5, 6], width: 2) && data.shape.count == 2)
    let last = try read(text, "4")
    #expect(last.targets == (try read(text, "regression")).targets && last.notes.isEmpty)
  }

  /// A numbering of the rows is no feature, unless it is a target.
  @Test func anIndexIsNoFeature() throws {
    let text = "id,x,y,z\n1,5,6,7\n2,5,7,8\n3,6,9,9\n"
    let data = try read(text, "y,z")
    #expect(data.shape.count == 1 && data.notes.first == "column 1, 'id', is no feature")
    #expect(try read(text, "id,z").shape.count == 2)
  }

  /// The names stay with parts of the data and with a test set.
  @Test func namesStayWithTheData() throws {
    let folder = TemporaryFolder()
    let rows = (0..<40).map { "\($0 % 7),\($0 % 5),\(Double($0 % 3) + 0.5)\n" }.joined()
    let path = try folder.write("t.csv", "x,u,v\n" + rows)
    let split = try DataSplit.named(path, as: .columns(["v", "u"]))
    #expect(split.train.targetNames == ["v", "u"] && split.test.targetNames == ["v", "u"])
    #expect(try split.train.appending(split.test).targetNames == ["v", "u"] && split.train.outputCount == 2)
  }

  private static let hint = " (--target classes, regression, or names of columns)"

  @Test(arguments: [
    (table, "p,x", "t.csv, line 1: no column is called 'x'; there are a, p, b, q r" + hint),
    (table, "P", "t.csv, line 1: no column is called 'P'; there are a, p, b, q r" + hint),
    ("\n\n" + table, "2", "t.csv, line 3: no column is called '2'; there are a, p, b, q r" + hint),
    (table, "p,b,p", "t.csv, line 1: the column 'p' is named twice"),
    ("a,a,b\n1,2,3\n4,5,6\n", "b,a", "t.csv, line 1: 2 columns are called 'a'"),
    (table, "a,b,p,q r", "t.csv, line 1: all columns are targets, and none is a feature"),
    ("1,2\n3,4\n", "p", "t.csv, line 1: no header names a column 'p'; without one they are 1 to 2" + hint),
    ("1,2\n3,4\n", "0", "t.csv, line 1: no header names a column '0'; without one they are 1 to 2" + hint),
    ("a,p,b\n1,x,3\n4,y,6\n2,x,5\n", "p,b", "t.csv, line 2, column 2: 'x' is not a finite number"),
    ("a,p,b\n1,2,x\n4,3,y\n2,2,x\n", "a,p", "t.csv, line 2, column 3: 'x' is not a finite number"),
    ("a,p,b\n1,2,3\n4,oops,5\n2,2,1\n", "p,b", "t.csv, line 3, column 2: 'oops' is not a finite number"),
    ("a,p,b\n1,2,3\n4,nan,5\n2,2,1\n", "p", "t.csv, line 3, column 2: 'nan' is not a finite number"),
  ])
  func refuses(text: String, names: String, message: String) throws {
    let folder = TemporaryFolder()
    let path = try folder.write("t.csv", text)
    let kind = try #require(TargetKind(names))
    let error = #expect(throws: FileError.self) { try CSV.dataset(path, as: kind) }
    #expect(error.map { "\($0)".replacing(folder.path + "/", with: "") } == message)
  }

  @Test func emptyNamesAndOtherDataAreRefused() {
    #expect(TargetKind("a,,b") == nil && TargetKind("") == nil && TargetKind("a, ") == nil)
    #expect(TargetKind("classes") == .classes && TargetKind("regression") == .regression)
    let error = #expect(throws: FileError.self) { try DataSplit.named("digits", as: .columns(["p"])) }
    #expect(error?.description == "digits: is no CSV file, so that 'p' names no column of it")
  }
}

extension Substring {
  fileprivate var trimmed: String { String(drop { $0 == " " }.reversed().drop { $0 == " " }.reversed()) }
}
