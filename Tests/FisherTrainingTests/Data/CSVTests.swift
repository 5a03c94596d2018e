import FisherRuntime
import FisherTraining
import Foundation
import Testing

/// What a table was read as.
private struct Reading {
  var features: [Float] = []
  var classes: [Int] = []
  var count = 0
  var notes: [String] = []
  /// The message of the refusal, without the folder.
  var refusal: String?

  init(_ text: String) throws { try self.init(Array(text.utf8)) }

  init(_ bytes: [UInt8]) throws {
    let folder = TemporaryFolder()
    let path = try folder.write("t.csv", bytes)
    do {
      let data = try CSV.dataset(path)
      guard case .floats(let floats) = data.storage, case .classes(let classes, let count) = data.targets
      else {
        return
      }
      (features, self.classes, self.count, notes) = (floats, classes, count, data.notes)
    } catch {
      refusal = "\(error)".replacingOccurrences(of: folder.path + "/", with: "")
    }
  }
}

@Suite struct CSVFormTests {
  private static let plain = "1,2.5,0\n-3,40,1\n5,6,0\n7,8,1\n"
  private static let features: [Float] = [1, 2.5, -3, 40, 5, 6, 7, 8]

  /// The same table, as different programs write it.
  @Test(arguments: [
    plain,
    plain.replacingOccurrences(of: "\n", with: "\r\n"), plain.replacingOccurrences(of: "\n", with: "\r"),
    plain.replacingOccurrences(of: ",", with: ";"), plain.replacingOccurrences(of: ",", with: "\t"),
    plain.replacingOccurrences(of: ",", with: " , "), plain.replacingOccurrences(of: "\n", with: "\n\n  \n"),
    String(plain.dropLast()), "\u{FEFF}" + plain, "a,b,class\n" + plain,
    "\"a, b\",\"say \"\"b\"\"\",c\n" + plain,
    "\"a\nb\",b,c\n" + plain, "# a,b,c\n" + plain,
    "\"1\",\"2.5\",\"0\"\n\"-3\",\"40\",\"1\"\n\"5\",\"6\",\"0\"\n\"7\",\"8\",\"1\"\n",
    "1, \"2.5\" ,0\n-3,40,\"1\"\n5,6,0\n7,\" 8 \",1\n",
    "1,2.5,0.0\n-3,40,1.0\n5,6,0.0\n7,8,1.0\n", "+1,25e-1,0\n-3.,4E+1,1\n5,.6e1,0\n7,8,1\n",
    // A frame's integer names, with and without its index.
    "0,1,2\n1,2.5,0\n-3,40.0,1\n5,6.0,0\n7,8.0,1\n", ",0,1,2\n0,1,2.5,0\n1,-3,40,1\n2,5,6,0\n3,7,8,1\n",
    ",a,b,c\n9,1,2.5,0\n4,-3,40,1\n8,5,6,0\n2,7,8,1\n",
    "Unnamed: 0,a,b,c\n0,1,2.5,0\n1,-3,40,1\n2,5,6,0\n3,7,8,1\n",
    "0,1,2.5,0\n1,-3,40,1\n2,5,6,0\n3,7,8,1\n", "id,a,b,c\n17,1,2.5,0\n4,-3,40,1\n8,5,6,0\n2,7,8,1\n",
    "w,1,2.5,0\nx,-3,40,1\ny,5,6,0\nz,7,8,1\n",
    // Classes that are words, or that a header names.
    "1,2.5,cat\n-3,40,dog\n5,6,cat\n7,8,dog\n", "a,b,kind\n1,2.5,cat\n-3,40,dog\n5,6,cat\n7,8,dog\n",
    "cat,1,2.5\ndog,-3,40\ncat,5,6\ndog,7,8\n", "1,False,2.5\n-3,True,40\n5,False,6\n7,True,8\n",
    "label,a,b\n0,1,2.5\n1,-3,40\n0,5,6\n1,7,8\n", "a,target,b\n1,0,2.5\n-3,1,40\n5,0,6\n7,1,8\n",
    "y,a,b\n0,1,2.5\n1,-3,40\n0,5,6\n1,7,8\n", "0,1,name\n1,2.5,cat\n-3,40.0,dog\n5,6.0,cat\n7,8.0,dog\n",
    "\"kind\";a;b\n\"x;y\";1;2.5\n\"z\";-3;40\n\"x;y\";5;6\nz;7;8\n",
  ])
  func readsAlike(text: String) throws {
    let reading = try Reading(text)
    #expect(reading.refusal == nil)
    #expect(reading.features == Self.features && reading.classes == [0, 1, 0, 1] && reading.count == 2)
  }

  /// Without a header the first column holds the classes if the last cannot.
  @Test func findsClassesInFront() throws {
    let rows = (0..<30).map { i in "\(i % 3),\(Float(i) / 7),\(i * i % 5),0\n" }.joined()
    let reading = try Reading(rows)
    #expect(reading.classes == (0..<30).map { $0 % 3 } && reading.count == 3)
    #expect(reading.notes == ["the classes are in column 1"])
    let fractions = (0..<30).map { i in "\(i % 2),\(i),\(Float(i) / 7)\n" }.joined()
    #expect(try Reading(fractions).classes == (0..<30).map { $0 % 2 })
    // The last could hold them, with gaps: nobody can know.
    let both = (0..<30).map { i in "\(i % 3),\(Float(i) / 7),\(i % 2 * 5)\n" }.joined()
    #expect(
      try Reading(both).refusal
        == "t.csv: the classes may be in column 1 or in column 3: a first line that calls one of them 'class' tells"
    )
    #expect(try Reading("class,a,b\n" + both).classes == (0..<30).map { $0 % 3 })
    #expect(try Reading("a,b,class\n" + both).classes == (0..<30).map { $0 % 2 * 5 })
  }

  @Test(arguments: [
    (",2.5,0\n3,4,1\n5,6,0\n", "t.csv, line 1, column 1: '' is not a finite number"),
    ("o1,2.5,0\n3,4,1\n5,6,0\n", "t.csv, line 1, column 1: 'o1' is not a finite number"),
    ("1,2.5,0\n3,4,1\n5,O,0\n", "t.csv, line 3, column 2: 'O' is not a finite number"),
    ("1,2,x\n3,4,1\n5,6,0\n7,8,0\n", "t.csv, line 1, column 3: 'x' is not a finite number"),
    ("\"a\nb\",b,c\n1,2,0\n3,4,1\n5,,0\n", "t.csv, line 5, column 2: '' is not a finite number"),
    ("1.O,cat\n2,dog\n3,cat\n", "t.csv, line 1, column 1: '1.O' is not a finite number"),
    ("NA,cat\n2,dog\n3,bird\n", "t.csv, line 1, column 1: 'NA' is not a finite number"),
    ("1,2,0\n1e39,4,1\n", "t.csv, line 2, column 1: '1e39' is not a finite number"),
    ("1,2,0\n0x10,4,1\n3,4,0\n", "t.csv, line 2, column 1: '0x10' is not a finite number"),
    ("1;2,5;0\n3;4,5;1\n5;6,5;0\n", "t.csv, line 1, column 2: '2,5' is not a finite number"),
    ("1 2 0\n3 4 1\n", "t.csv, line 1: one value; features and a class are needed"),
    ("1,2,0\n3,\"4,1\n5,6,0\n", "t.csv, line 2, column 2: a quote begins and never ends"),
    ("1,2,0\n3,\"4\"5,1\n", "t.csv, line 2, column 2: text follows behind the closing quote"),
    ("a,b,c\n1,2,cat\n3,4,\n5,6,dog\n", "t.csv, line 3, column 3: the class is missing"),
    ("1,2,70000\n3,4,1\n", "t.csv, line 1, column 3: the class '70000' is not an integer from 0 to 65535"),
    ("a,b\nc,d\ne,f\n", "t.csv, line 1, column 1: 'a' is not a finite number"),
    (
      "0,1,2\n3,5,2\n4,6,0\n7,8,1\n",
      "t.csv, line 1: '0,1,2' may number the columns or be an example; name the columns by words, or remove it"
    ),
  ])
  func refuses(text: String, message: String) throws {
    #expect(try Reading(text).refusal == message)
  }

  @Test func targetsOfARegressionAreRefused() throws {
    let fractions = "a,b,y\n" + (0..<30).map { "\($0),1,\(Float($0) / 8)\n" }.joined()
    #expect(
      try Reading(fractions).refusal
        == "t.csv, line 3, column 3: the class '0.125' is not an integer from 0 to 65535 (--target regression)"
    )
    let integers = (0..<30).map { "0.5,\($0 % 7),\(37 * $0 % 101)\n" }.joined()
    #expect(
      try Reading(integers).refusal
        == "t.csv, column 3: 30 different integers in 30 rows are targets of a regression, not classes (--target regression)"
    )
  }

  /// The same tables, read as what they are: the column that is called so, else the last one.
  @Test func targetsOfARegressionAreRead() throws {
    let folder = TemporaryFolder()
    let path = try folder.write("t.csv", "a,target,b\n1,0.5,3\n4,-2,6\n7,1e3,9\n")
    let data = try CSV.dataset(path, as: .regression)
    #expect(data.targets == .values([0.5, -2, 1000], width: 1) && data.classCount == nil)
    #expect(data.shape.count == 2 && data.notes == ["the target numbers are in column 2"])
    let split = try DataSplit.named(path, as: .regression)
    #expect(split.train.count == 2 && split.test.count == 1)
    let plain = try folder.write("u.csv", "1,2,0\n3,4,1\n5,6,1\n")
    #expect(try CSV.dataset(plain, as: .regression).targets == .values([0, 1, 1], width: 1))
    let words = try folder.write("v.csv", "a,b\n1,cat\n3,dog\n4,cat\n")
    let error = #expect(throws: FileError.self) { try CSV.dataset(words, as: .regression) }
    #expect(error?.reason == "'cat' is not a finite number")
  }

  @Test func otherFilesAreRefused() throws {
    #expect(
      try Reading([0xFF, 0xFE, 0x31, 0]).refusal == "t.csv, byte 0: the text is in UTF-16; UTF-8 can be read")
    #expect(try Reading([0x1F, 0x8B, 8, 0]).refusal == "t.csv: cannot be unpacked: unexpected end of file")
  }

  /// Whatever stands in a file, it is read or refused, with as many numbers as examples and features make.
  @Test func anyBytesAreReadOrRefused() throws {
    var generator = KeyedGenerator(11)
    let alphabet = Array("0123456789.,;\t\"\r\n eE+-aN\u{FEFF}".utf8)
    let folder = TemporaryFolder()
    var read = 0
    for trial in 0..<4000 {
      var bytes = Array(Self.plain.utf8)
      for _ in 0..<generator.below(6) {
        let place = generator.below(bytes.count)
        switch generator.below(3) {
        case 0: bytes[place] = alphabet[generator.below(alphabet.count)]
        case 1: bytes.insert(alphabet[generator.below(alphabet.count)], at: place)
        default: bytes.removeSubrange(place..<min(bytes.count, place + generator.below(5)))
        }
        if bytes.isEmpty { bytes = [0x31] }
      }
      let path = try folder.write("t.csv", bytes)
      do {
        let data = try CSV.dataset(path)
        guard case .floats(let floats) = data.storage else { continue }
        #expect(
          floats.count == data.count * data.shape.count && floats.allSatisfy(\.isFinite), "trial \(trial)")
        read += 1
      } catch {
        #expect("\(error)".hasPrefix(path), "trial \(trial): \(error)")
      }
    }
    #expect(read > 400 && read < 4000)
  }

  @Test func classesOfTheTestAreLearned() throws {
    for count in [2, 5, 11, 40] {
      // Every class but one has a single example.
      let data = Dataset(
        name: "t", shape: ExampleShape(channels: 1), rows: (0..<count).map { [Float($0)] },
        classes: (0..<count).map { $0 < count / 2 ? 0 : $0 }, classCount: count)
      let split = DataSplit(splitting: data)
      #expect(split.train.count + split.test.count == count && split.test.count >= 1)
      guard case .classes(let learned, _) = split.train.targets,
        case .classes(let tested, _) = split.test.targets
      else { continue }
      #expect(Set(tested).isSubset(of: learned) || count == 2, "\(count)")
    }
  }
}

@Suite struct DecimalTextTests {
  private func read(_ text: String) -> Float? {
    let bytes = Array(text.utf8)
    return bytes.withUnsafeBufferPointer { DecimalText.float($0.baseAddress!, $0.count) }
  }

  private func agrees(_ text: String) -> Bool { read(text)?.bitPattern == strtof(text, nil).bitPattern }

  /// Random digits, points and exponents; printed numbers; and numbers on and beside the boundary of two neighbours.
  @Test func agreesWithTheStandardLibrary() {
    var generator = KeyedGenerator(3)
    var wrong: [String] = []
    func check(_ text: String) { if !agrees(text) && wrong.count < 10 { wrong.append(text) } }
    func digits(_ count: Int) -> String {
      String((0..<count).map { _ in Character("\(generator.below(10))") })
    }
    for _ in 0..<400_000 {
      let sign = ["", "-", "+"][generator.below(3)]
      let text =
        sign + digits(1 + generator.below(12))
        + (generator.below(4) == 0 ? "" : "." + digits(generator.below(16)))
      check(generator.below(2) == 0 ? text : text + "e\(generator.below(100) - 55)")
    }
    for _ in 0..<300_000 {
      let x = Float(bitPattern: UInt32(truncatingIfNeeded: generator.next()))
      if x.isFinite { check("\(x)") }
      let d = Double(bitPattern: generator.next())
      if d.isFinite && abs(d) < 3e38 { check("\(d)") }
    }
    for _ in 0..<300_000 {
      // Halfway between two neighbours, and the nearest numbers of 17 digits beside it.
      let x = Float(bitPattern: UInt32(truncatingIfNeeded: generator.next()) & 0x7FFF_FFFF)
      guard x.isFinite, x.nextUp.isFinite else { continue }
      let middle = (Double(x) + Double(x.nextUp)) / 2
      check(["\(middle)", "\(middle.nextUp)", "\(middle.nextDown)"][generator.below(3)])
    }
    #expect(wrong.isEmpty, "\(wrong)")
  }

  @Test func readsTheLimits() {
    for text in [
      "0", "-0", "0.0e5", "00012", ".5", "5.", "1e22", "1e23", "9007199254740993", "16777217", "16777219",
      "3.4028235e38", "3.4028235677973366e38", "3.4028236e38", "1.1754944e-38", "1e-45", "7e-46", "7.1e-46",
      "1e-400",
      "0.000000000000000000000000000000000000000000001", "123456789012345678901234567890", "1e400", "-1e39",
      "99999999999999999999999999999999999999", String(repeating: "9", count: 60),
      "0." + String(repeating: "0", count: 60) + "1e60", "1" + String(repeating: "0", count: 60) + "e-60",
    ] {
      #expect(agrees(text), "\(text): \(read(text) ?? .nan), not \(strtof(text, nil))")
    }
  }

  @Test(arguments: [
    " ", "+", "-", ".", "e5", "1e", "1e+", "1e5x", "1.2.3", "1,5", "nan", "inf", "0x1p3", "1 ", " 1", "--1",
    "1e5.0", "1_0",
    "1f", "١",
  ])
  func refuses(text: String) {
    #expect(read(text) == nil)
  }
}
