import FisherRuntime

/// SplitMix64 with random access: word i of a sequence follows from its key and i alone.
///
/// So nothing random has a memory, any part of a mask can be made by any thread, and a run resumes without state.
struct RandomStream: Sendable {
  private let start: UInt64

  /// The sequence of a key such as (seed, step, layer).
  init(_ key: UInt64...) {
    start = key.reduce(0x9E37_79B9_7F4A_7C15) { Self.mix($0 ^ Self.mix($1 &+ Self.increment)) }
  }

  /// The sequence that begins with word `count` of this one.
  func advanced(by count: Int) -> RandomStream {
    RandomStream(start: start &+ UInt64(truncatingIfNeeded: count) &* Self.increment)
  }

  private init(start: UInt64) { self.start = start }

  /// 64 bits.
  @inline(__always)
  func word(_ i: Int) -> UInt64 { Self.mix(start &+ UInt64(truncatingIfNeeded: i &+ 1) &* Self.increment) }

  /// Uniform in [0, 1) with 53 bits.
  @inline(__always)
  func unit(_ i: Int) -> Double { Double(word(i) >> 11) * 0x1p-53 }

  /// Normal with variance 1, by Box and Muller from words 2i and 2i + 1.
  func normal(_ i: Int) -> Double {
    let radius = (-2 * log(1 - unit(2 * i))).squareRoot()
    return radius * cos(2 * .pi * unit(2 * i + 1))
  }

  private static var increment: UInt64 { 0x9E37_79B9_7F4A_7C15 }

  @inline(__always)
  private static func mix(_ word: UInt64) -> UInt64 {
    var z = word
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }
}
