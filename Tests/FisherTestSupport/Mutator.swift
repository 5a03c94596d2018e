/// Changes valid inputs into ones that may not be: bit flips, truncation, splices, and extreme numbers.
public struct Mutator {
  private var generator: Generator
  private let corpus: [[UInt8]]

  /// - Parameter corpus: valid inputs, at least one.
  public init(seed: UInt64, corpus: [[UInt8]]) {
    generator = Generator(seed: seed)
    self.corpus = corpus
  }

  /// What programs stumble over, as text.
  private static let texts = [
    "", "0", "-0", "-1", "1", "00", "+5", "127", "255", "65535", "65536", "2147483647", "4294967295",
    "4294967296",
    "9007199254740993", "9223372036854775807", "9223372036854775808", "-9223372036854775808",
    "18446744073709551615",
    "99999999999999999999999", "1e300", "-1e300", "1e309", "1e-400", "5e-324", "nan", "-nan", "inf", "-inf",
    "0x1p9999",
    "1.5", ".", "-", ":", "::", "+", ",", ";", "/", "\"", "\\", "\n", "\r\n", "\t", "\u{FEFF}", "\u{0}", "é",
    "٣", "[", "]",
    "{", "}", "null", "true",
  ].map { Array($0.utf8) }

  /// A valid input after one to four changes.
  public mutating func next() -> [UInt8] {
    var bytes = generator.pick(corpus)
    for _ in 0..<Int.random(in: 1...4, using: &generator) { change(&bytes) }
    return bytes
  }

  /// The same as text; what is no UTF-8 is repaired.
  public mutating func nextText() -> String { String(decoding: next(), as: UTF8.self) }

  private mutating func change(_ bytes: inout [UInt8]) {
    let place = Int.random(in: 0...bytes.count, using: &generator)
    switch Int.random(in: 0..<7, using: &generator) {
    case 0: if place < bytes.count { bytes[place] ^= 1 << UInt8.random(in: 0..<8, using: &generator) }
    case 1:
      if place < bytes.count { bytes[place] = generator.pick([0, 1, 0x7F, 0x80, 0xFF, UInt8(ascii: "9")]) }
    case 2: bytes.removeSubrange(place...)
    case 3: bytes.removeSubrange(stretch(of: bytes))
    case 4:
      let other = generator.pick(corpus)
      bytes.insert(contentsOf: other[stretch(of: other)], at: place)
    case 5: bytes.insert(contentsOf: generator.pick(Self.texts), at: place)
    default: replaceNumber(&bytes, from: place)
    }
  }

  private mutating func stretch(of bytes: [UInt8]) -> Range<Int> {
    let ends = [
      Int.random(in: 0...bytes.count, using: &generator), Int.random(in: 0...bytes.count, using: &generator),
    ]
    return ends.min()!..<ends.max()!
  }

  /// The next number that is written in digits becomes an extreme one; eight bytes without any become 64 extreme bits.
  private mutating func replaceNumber(_ bytes: inout [UInt8], from place: Int) {
    let digits = UInt8(ascii: "0")...UInt8(ascii: "9")
    if let first = bytes[place...].firstIndex(where: digits.contains) {
      let end = bytes[first...].firstIndex { !digits.contains($0) } ?? bytes.count
      bytes.replaceSubrange(first..<end, with: generator.pick(Self.texts))
    } else if place + 8 <= bytes.count {
      let words: [UInt64] = [0, 1, .max, 1 << 63, .max >> 1, 1 << 32, .max >> 32, 1 << 31]
      let word = generator.pick(words)
      for i in 0..<8 { bytes[place + i] = UInt8(truncatingIfNeeded: word >> (8 * UInt64(i))) }
    }
  }
}

/// Runs a parser on mutated inputs. A trap ends the process, so each batch's seed is printed before it.
///
/// - Parameters:
///   - name: what is parsed, for the print.
///   - corpus: valid inputs.
///   - count: how many inputs; a failing batch is reproduced by its seed.
///   - body: may throw: an error is a right answer.
/// - Returns: how many inputs were accepted. Some must be, or the errors alone were tested.
@discardableResult
public func fuzz(
  _ name: String, _ corpus: [[UInt8]], count: Int = 100_000, _ body: ([UInt8]) throws -> Void
) -> Int {
  let batch = 10_000
  var accepted = 0
  for number in 0..<(count + batch - 1) / batch {
    let seed = Seed.first &+ UInt64(number)
    print("fuzz \(name): FISHER_SEED=\(seed), \(batch) inputs")
    var mutator = Mutator(seed: seed, corpus: corpus)
    for _ in 0..<batch {
      let input = mutator.next()
      do {
        try body(input)
        accepted += 1
      } catch {
        // Every message can be made.
        precondition(!"\(error)".isEmpty)
      }
    }
  }
  return accepted
}
