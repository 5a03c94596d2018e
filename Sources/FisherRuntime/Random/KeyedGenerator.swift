/// The words of a random sequence one after the other: every key, a list of numbers, has a sequence of its own.
///
/// Nothing random in a run has a memory: the order of an epoch, the augmentation of an example, the mask of a step each
/// start from a key of their own, so a resumed run needs no generator state.
@frozen
public struct KeyedGenerator: RandomNumberGenerator, Sendable {
  @usableFromInline let stream: RandomStream
  @usableFromInline var position = 0

  /// A sequence for a key such as (seed, purpose, epoch), which no random access by the same key sees.
  public init(_ key: UInt64...) { stream = RandomStream(key, apart: RandomStream.increment) }

  @inlinable
  public mutating func next() -> UInt64 {
    defer { position &+= 1 }
    return stream.word(position)
  }

  /// Uniform in 0 ..< n, n ≥ 1; the bias is below n/2⁶⁴.
  @inlinable
  public mutating func below(_ n: Int) -> Int { Int(next().multipliedFullWidth(by: UInt64(n)).high) }

  /// Uniform in [0, 1) with 53 bits.
  @inlinable
  public mutating func unit() -> Double { Double(next() >> 11) * 0x1p-53 }

  /// A permutation of 0 ..< n, all equally likely (Fisher & Yates). Written out, because the library's shuffling may
  /// change with its version.
  public mutating func permutation(_ n: Int) -> [Int] {
    var order = Array(0..<n)
    for i in stride(from: n - 1, to: 0, by: -1) { order.swapAt(i, below(i + 1)) }
    return order
  }
}
