public import FisherLinearAlgebra
import FisherRuntime

/// A hash of 64 bits over words in their order: says whether two runs have the same bits.
///
/// Each word is mixed in by a bijection of the state in which every bit of the word moves every bit of the result with
/// probability one half (the finalizer of Stafford's variant 13, as in Steele, Lea & Flood 2014), so that two sequences
/// that differ in one word never have one hash.
public struct BitHash: Sendable {
  private var state: UInt64 = 0xCBF2_9CE4_8422_2325

  public init() {}

  /// Goes on where another hash has ended.
  package init(resuming state: UInt64) { self.state = state }

  /// The hash of all that was added.
  public var value: UInt64 { state }

  @inline(__always)
  public mutating func add(_ word: UInt64) {
    // The odd constant keeps zeros from being a fixed point.
    var z = (state ^ word) &+ 0x9E37_79B9_7F4A_7C15
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    state = z ^ (z >> 31)
  }

  /// The bytes, in words of eight, and their number.
  public mutating func add(_ bytes: UnsafeRawBufferPointer) {
    addWords(bytes, isLast: true)
    add(UInt64(bytes.count))
  }

  /// A part of bytes, in words of eight; their number comes after the last part.
  ///
  /// - Precondition: whole words, but for the last part.
  package mutating func addWords(_ bytes: UnsafeRawBufferPointer, isLast: Bool) {
    require(isLast || bytes.count % 8 == 0, "BitHash: a part of \(bytes.count) bytes")
    var i = 0
    while i + 8 <= bytes.count {
      add(UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: i, as: UInt64.self)))
      i += 8
    }
    if !isLast { return }
    var rest: UInt64 = 0
    for (place, byte) in bytes[i...].enumerated() { rest |= UInt64(byte) << (8 * UInt64(place)) }
    add(rest)
  }

  /// The bytes in UTF-8.
  public mutating func add(_ text: String) {
    var text = text
    text.withUTF8 { add(UnsafeRawBufferPointer($0)) }
  }

  /// The shape and the bits of the elements in row-major order.
  public mutating func add<S: KernelScalar>(_ matrix: Matrix<S>) {
    add(UInt64(matrix.rows))
    add(UInt64(matrix.columns))
    matrix.withSpan { elements in elements.withUnsafeBytes { add($0) } }
  }

  /// Sixteen hexadecimal digits.
  public var text: String {
    let digits = String(value, radix: 16)
    return String(repeating: "0", count: 16 - digits.count) + digits
  }
}
