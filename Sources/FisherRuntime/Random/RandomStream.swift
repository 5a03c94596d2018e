/// SplitMix64 with random access (Steele, Lea & Flood 2014): word i of a sequence follows from its key and i alone.
///
/// So nothing random has a memory, any part of a mask can be made by any thread, and a run resumes without state. The same
/// words in their order are a ``KeyedGenerator``, normal numbers are in `NormalNumbers.swift`.
@frozen
public struct RandomStream: Sendable {
  @usableFromInline let start: UInt64

  /// The sequence of a key such as (seed, step, layer).
  public init(_ key: UInt64...) { self.init(key, apart: 0) }

  /// - Parameter apart: keeps sequences of the same key apart that are for different uses.
  init(_ key: [UInt64], apart: UInt64) {
    start = key.reduce(Self.increment) { Self.mix($0 ^ Self.mix($1 &+ Self.increment)) &+ apart }
  }

  private init(start: UInt64) { self.start = start }

  /// The sequence that begins with word `count` of this one.
  public func advanced(by count: Int) -> RandomStream {
    RandomStream(start: start &+ UInt64(truncatingIfNeeded: count) &* Self.increment)
  }

  /// 64 bits.
  @inlinable @inline(__always)
  public func word(_ i: Int) -> UInt64 {
    Self.mix(start &+ UInt64(truncatingIfNeeded: i &+ 1) &* Self.increment)
  }

  /// Uniform in [0, 1) with 53 bits.
  @inlinable @inline(__always)
  public func unit(_ i: Int) -> Double { Double(word(i) >> 11) * 0x1p-53 }

  @inlinable @inline(__always)
  static var increment: UInt64 { 0x9E37_79B9_7F4A_7C15 }

  @inlinable @inline(__always)
  static func mix(_ word: UInt64) -> UInt64 {
    var z = word
    z = (z ^ (z >> 30)) &* firstFactor
    z = (z ^ (z >> 27)) &* secondFactor
    return z ^ (z >> 31)
  }

  @inlinable @inline(__always)
  static var firstFactor: UInt64 { 0xBF58_476D_1CE4_E5B9 }

  @inlinable @inline(__always)
  static var secondFactor: UInt64 { 0x94D0_49BB_1331_11EB }
}
