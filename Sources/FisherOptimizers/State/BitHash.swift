public import FisherLinearAlgebra

/// FNV-1a with 64 bits over whole words: says whether two runs have the same bits.
public struct BitHash: Sendable {
  public private(set) var value: UInt64 = 0xCBF2_9CE4_8422_2325

  public init() {}

  public mutating func add(_ word: UInt64) { value = (value ^ word) &* 0x100_0000_01B3 }

  public mutating func add(_ text: String) {
    for byte in text.utf8 { add(UInt64(byte)) }
  }

  /// The shape and the elements in row-major order.
  public mutating func add<S: KernelScalar>(_ matrix: Matrix<S>) {
    add(UInt64(matrix.rows))
    add(UInt64(matrix.columns))
    matrix.withSpan { elements in
      for i in elements.indices {
        // The widening to `Double` is exact and keeps apart what has different bits, NaN payloads aside.
        add(Double(elements[i]).bitPattern)
      }
    }
  }

  /// Sixteen hexadecimal digits.
  public var text: String {
    let digits = String(value, radix: 16)
    return String(repeating: "0", count: 16 - digits.count) + digits
  }
}
