/// SplitMix64 with a key: every list of numbers is the seed of its own sequence.
///
/// Nothing random in a run has a memory: the order of an epoch, the augmentation of an example, the mask of a step each
/// start from a key of their own, so a resumed run needs no generator state.
public struct KeyedGenerator: RandomNumberGenerator, Sendable {
  private var state: UInt64

  /// A sequence for a key such as (seed, purpose, epoch).
  public init(_ key: UInt64...) {
    state = 0x9E37_79B9_7F4A_7C15
    for word in key {
      state = Self.mix(state ^ Self.mix(word &+ 0x9E37_79B9_7F4A_7C15)) &+ 0x9E37_79B9_7F4A_7C15
    }
  }

  public mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    return Self.mix(state)
  }

  /// Uniform in 0 ..< n, n ≥ 1; the bias is below n/2⁶⁴.
  public mutating func below(_ n: Int) -> Int { Int(next().multipliedFullWidth(by: UInt64(n)).high) }

  /// Uniform in [0, 1) with 53 bits.
  public mutating func unit() -> Double { Double(next() >> 11) * 0x1p-53 }

  /// A permutation of 0 ..< n, all equally likely (Fisher & Yates). Written out, because the library's shuffling may
  /// change with its version.
  public mutating func permutation(_ n: Int) -> [Int] {
    var order = Array(0..<n)
    for i in stride(from: n - 1, to: 0, by: -1) { order.swapAt(i, below(i + 1)) }
    return order
  }

  private static func mix(_ word: UInt64) -> UInt64 {
    var z = word
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }
}

/// What a key is for: the second word of it.
enum Purpose {
  static let order: UInt64 = 1
  static let augmentation: UInt64 = 2
  static let split: UInt64 = 3
  static let drawing: UInt64 = 4
  static let weights: UInt64 = 5
  static let masks: UInt64 = 6
}
