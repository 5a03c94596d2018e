import FisherTraining
import Testing

@Suite struct DigitsTests {
  /// The whole set, summed up: the sizes and checksums of the published file.
  @Test func areAllThere() {
    let all = Digits.all
    #expect(all.count == 1797 && all.shape == ExampleShape(channels: 1, height: 8, width: 8))
    guard case .bytes(let pixels, let scale) = all.storage,
      case .classes(let classes, let count) = all.targets
    else {
      Issue.record("digits are bytes with classes")
      return
    }
    #expect(scale == 1 / 16 && count == 10)
    #expect(pixels.allSatisfy { $0 <= 16 } && pixels.contains(16))
    let perClass = (0..<10).map { digit in classes.filter { $0 == digit }.count }
    #expect(perClass == [178, 182, 177, 183, 181, 182, 181, 179, 174, 180])
    #expect(pixels.reduce(0) { $0 + Int($1) } == 561718)
    // The first digit, a zero.
    #expect(pixels.prefix(16) == [0, 0, 5, 13, 9, 1, 0, 0, 0, 0, 13, 15, 10, 15, 5, 0] && classes[0] == 0)
  }

  @Test func splitOnceAndForAll() {
    let split = Digits.split
    #expect(split.train.count == 1438 && split.test.count == 359)
    guard case .bytes(let train, _) = split.train.storage, case .bytes(let test, _) = split.test.storage,
      case .bytes(let all, _) = Digits.all.storage
    else { return }
    func images(_ bytes: [UInt8]) -> [[UInt8]] {
      stride(from: 0, to: bytes.count, by: 64).map { Array(bytes[$0..<$0 + 64]) }
    }
    let byPixels = { (a: [UInt8], b: [UInt8]) in a.lexicographicallyPrecedes(b) }
    #expect((images(train) + images(test)).sorted(by: byPixels) == images(all).sorted(by: byPixels))
    // Which of them are for the test must never change: results are compared over years.
    guard case .classes(let classes, _) = split.test.targets else { return }
    #expect(classes.prefix(12) == Self.firstOfTheTest[...])
  }

  static let firstOfTheTest = [8, 0, 1, 2, 5, 9, 3, 4, 7, 9, 8, 4]
}
