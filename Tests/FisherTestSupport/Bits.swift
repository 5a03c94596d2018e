public import FisherLinearAlgebra

extension KernelScalar {
  /// The bit pattern, so that NaNs and signed zeros can be told apart.
  @inlinable @inline(__always)
  public var bits: UInt64 {
    MemoryLayout<Self>.size == 4
      ? UInt64(unsafeBitCast(self, to: UInt32.self)) : unsafeBitCast(self, to: UInt64.self)
  }

  /// A signaling NaN with a payload that no computation produces: it fills memory that a routine must not touch, and
  /// turns every result that it reaches into NaN. Arithmetic makes it a quiet one, so that updating it shows, too.
  @inlinable
  public static var sentinel: Self {
    MemoryLayout<Self>.size == 4
      ? unsafeBitCast(UInt32(0x7F85_A5A5), to: Self.self)
      : unsafeBitCast(UInt64(0x7FF0_5A5A_5A5A_5A5A), to: Self.self)
  }

  /// ε/2: the largest relative error of one rounding.
  @inlinable
  public static var unitRoundoff: Double { Double(Self.ulpOfOne) / 2 }
}
