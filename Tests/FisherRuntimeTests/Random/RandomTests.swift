import FisherRuntime
import Testing

/// Random words, against SplitMix64 as its authors write it: a state that grows by a constant, and a mixing function.
@Suite struct RandomTests {
  private static let increment: UInt64 = 0x9E37_79B9_7F4A_7C15

  private struct SplitMix64 {
    var state: UInt64

    mutating func next() -> UInt64 {
      state &+= RandomTests.increment
      return RandomTests.mix(state)
    }
  }

  private static func mix(_ word: UInt64) -> UInt64 {
    var z = word
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }

  /// The first word of the published generator with seed 0.
  @Test func theTwinIsThePublishedGenerator() {
    var twin = SplitMix64(state: 0)
    #expect(twin.next() == 0xE220_A839_7B1D_CDAF)
  }

  @Test func wordsFollowFromKeyAndPosition() {
    var state = Self.increment
    for word: UInt64 in [7, 3, 0] { state = Self.mix(state ^ Self.mix(word &+ Self.increment)) }
    var twin = SplitMix64(state: state)
    let stream = RandomStream(7, 3, 0)
    for i in 0..<100 {
      let word = twin.next()
      #expect(stream.word(i) == word && stream.advanced(by: i).word(0) == word)
      #expect(stream.unit(i) == Double(word >> 11) / 0x1p53)
    }
    #expect(stream.advanced(by: 5).word(-3) == stream.word(2))
  }

  /// Sequence and random access by the same key share no words at their beginnings.
  @Test func aSequenceIsAStreamOfItsOwn() {
    var state = Self.increment
    for word: UInt64 in [7, 3, 0] {
      state = Self.mix(state ^ Self.mix(word &+ Self.increment)) &+ Self.increment
    }
    var (twin, generator) = (SplitMix64(state: state), KeyedGenerator(7, 3, 0))
    let stream = RandomStream(7, 3, 0)
    let accessible = Set((0..<1000).map { stream.word($0) })
    for _ in 0..<1000 {
      let word = generator.next()
      #expect(word == twin.next() && !accessible.contains(word))
    }
  }

  /// Each place of a permutation gets each number equally often: 6000 draws of four stay within five deviations.
  @Test func permutationsAreUniform() {
    var generator = KeyedGenerator(11)
    var counts = [[Int]](repeating: [Int](repeating: 0, count: 4), count: 4)
    for _ in 0..<6000 {
      let order = generator.permutation(4)
      #expect(order.sorted() == [0, 1, 2, 3])
      for (place, number) in order.enumerated() { counts[place][number] += 1 }
    }
    let deviation = (6000.0 * 0.25 * 0.75).squareRoot()
    for count in counts.joined() { #expect(abs(Double(count) - 1500) < 5 * deviation) }
    #expect(generator.permutation(0).isEmpty && generator.permutation(1) == [0])
  }
}
