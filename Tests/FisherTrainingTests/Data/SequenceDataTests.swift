import FisherTraining
import Foundation
import Testing

@Suite struct SequenceDataTests {
  private func examples(_ data: Dataset) -> [(tokens: [Int], classes: [Int])] {
    guard case .classes(let classes, _) = data.targets else { return [] }
    let (length, answers) = (data.shape.count, data.answers)
    var row = [Float](repeating: 0, count: length)
    return (0..<data.count).map { i in
      row.withUnsafeMutableBufferPointer { data.copyExample(i, to: $0) }
      return (row.map { Int($0) }, Array(classes[i * answers..<(i + 1) * answers]))
    }
  }

  /// Each question is a key of the sequence, and its answer the value behind that key.
  @Test func questionsHaveTheirAnswers() {
    let split = Sequences.recall(train: 200, test: 50)
    for (tokens, classes) in examples(split.train) + examples(split.test) {
      var pairs: [Int: Int] = [:]
      for i in 0..<4 { #expect(pairs.updateValue(tokens[2 * i + 1], forKey: tokens[2 * i]) == nil) }
      #expect(pairs.keys.allSatisfy { $0 < 8 } && pairs.values.allSatisfy { 8..<16 ~= $0 })
      #expect(classes[..<8].allSatisfy { $0 == -1 } && Set(tokens[8...]) == Set(pairs.keys))
      #expect(zip(tokens[8...], classes[8...]).allSatisfy { pairs[$0] == $1 })
    }
    #expect(Sequences.recall(train: 200, test: 50).train.identity == split.train.identity)
    #expect(Sequences.recall(train: 200, test: 50, seed: 2).train.identity != split.train.identity)
    #expect(split.train.vocabulary == 16 && split.train.classCount == 16)
  }

  @Test func digitsAreSorted() {
    for (tokens, classes) in examples(Sequences.sorting(train: 100, test: 1).train) {
      #expect(tokens[6] == 10 && Array(classes[6...]) == tokens[..<6].sorted())
      #expect(Array(tokens[7...]) == Array(classes[6..<11]) && classes[..<6].allSatisfy { $0 == -1 })
    }
  }

  /// The next byte is the class of every position, and the alphabet is what occurs.
  @Test func textIsToldByteByByte() throws {
    let text = Array(String(repeating: "ab ba\n", count: 40).utf8)
    let split = try TextData.split(text, context: 8, name: "t")
    #expect(split.train.vocabulary == 4 && split.train.classNames == ["byte 10", "space", "a", "b"])
    #expect(split.train.count == 26 && split.test.count == 2)
    for data in [split.train, split.test] {
      for (tokens, classes) in examples(data) { #expect(Array(tokens[1...]) == Array(classes[..<7])) }
    }
    #expect(throws: FileError.self) { try TextData.split(Array(text[..<80]), context: 8, name: "t") }
    #expect(throws: FileError.self) {
      try TextData.split([UInt8](repeating: 7, count: 500), context: 8, name: "t")
    }
    let none = #expect(throws: FileError.self) { try TextData.licenseText(["/no/such/file"]) }
    #expect(none?.description.contains("where Debian keeps its licences") == true)
    let folder = TemporaryFolder()
    let path = try folder.write(
      "t.txt", [UInt8](repeating: 0, count: 700).enumerated().map { UInt8($0.offset % 7) })
    #expect(try DataSplit.named("text:" + path).train.vocabulary == 7)
  }

  /// −u″/64 + u of the solution is what the targets say, to the truncation of the second difference.
  @Test func theTargetsAreThoseOfTheSolution() throws {
    let data = ScreenedPoisson.split.train
    guard case .values(let values, 1) = data.targets else { return #expect(Bool(false)) }
    #expect(data.count == 256 && ScreenedPoisson.split.test.count == 256)
    let h = 1.0 / 1024
    for i in stride(from: 0, to: 256, by: 15) {
      let x = Double(4 * i) * h
      let u = [-1.0, 0, 1].map { ScreenedPoisson.solution(x + $0 * h) }
      let f = (2 * u[1] - u[0] - u[2]) / (64 * h * h) + u[1]
      #expect(abs(f - Double(values[i])) < 1e-6 && abs(f) < 5)
      // The second derivative itself, from a smaller step: h²·u⁗/12 away.
      let small = 1e-4
      let w = [-1.0, 0, 1].map { ScreenedPoisson.solution(x + $0 * small) }
      let exact = (2 * w[1] - w[0] - w[2]) / (64 * small * small) + w[1]
      #expect(abs(exact - f) < 3e-4)
    }
  }
}
