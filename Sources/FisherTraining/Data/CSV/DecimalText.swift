/// Decimal numbers as files hold them: `-12`, `.5`, `6.02e+23`. Neither words like `nan` nor other bases.
package enum DecimalText {
  /// The nearest `Float`, with ties to even, of what the bytes say; nil if they are no number. Too large is infinite.
  ///
  /// At most 19 digits m and a power of ten of up to 44 give m·10ᵉ in double precision with three roundings, each of 2⁻⁵³,
  /// and 10⁻¹⁸ for digits past the nineteenth: less than 4 units in the last place. That decides the nearest `Float` unless
  /// a boundary between two of them, which is a `Double`, is as near (Clinger 1990 has the exact case). Then, and for
  /// other exponents, the standard library decides.
  @inline(__always)
  package static func float(_ p: UnsafePointer<UInt8>, _ count: Int) -> Float? {
    guard let (digits, exponent, isNegative) = parts(p, count) else { return nil }
    // Zero and short integers are exact.
    if digits == 0 || exponent == 0 && digits < 1 << 24 {
      return isNegative ? -Float(Int32(truncatingIfNeeded: digits)) : Float(Int32(truncatingIfNeeded: digits))
    }
    guard -44...44 ~= exponent else { return standard(p, count) }
    var x = Double(digits)
    if exponent < 0 {
      x /= powers[min(-exponent, 22)]
      if exponent < -22 { x /= powers[-exponent - 22] }
    } else {
      x *= powers[min(exponent, 22)]
      if exponent > 22 { x *= powers[exponent - 22] }
    }
    // A `Float` keeps 29 bits less; among subnormal ones, even more less.
    let rest = Int(x.bitPattern & 0x1FFF_FFFF)
    guard x >= Double(Float.leastNormalMagnitude), abs(rest - 0x1000_0000) > 4 else {
      return standard(p, count)
    }
    return Float(isNegative ? -x : x)
  }

  /// Up to 19 significant digits as an integer, and the power of ten that it is to be multiplied with; nil if the bytes
  /// are not `[+-] digits [. digits] [e [+-] digits]` with at least one digit before the e.
  @inline(__always)
  private static func parts(
    _ p: UnsafePointer<UInt8>, _ count: Int
  ) -> (digits: UInt64, exponent: Int, isNegative: Bool)? {
    var i = 0
    let isNegative = count > 0 && p[0] == UInt8(ascii: "-")
    if isNegative || count > 0 && p[0] == UInt8(ascii: "+") { i = 1 }
    var (digits, exponent, hasDigits, hasPoint) = (UInt64(0), 0, false, false)
    while i < count {
      let digit = p[i] &- UInt8(ascii: "0")
      if digit <= 9 {
        hasDigits = true
        // Below 10¹⁸ one more digit fits.
        if digits < 1_000_000_000_000_000_000 {
          digits = digits &* 10 &+ UInt64(digit)
          if hasPoint { exponent &-= 1 }
        } else if !hasPoint {
          exponent &+= 1
        }
      } else if p[i] == UInt8(ascii: ".") && !hasPoint {
        hasPoint = true
      } else {
        break
      }
      i &+= 1
    }
    guard hasDigits else { return nil }
    if i < count {
      guard p[i] | 0x20 == UInt8(ascii: "e"), let power = power(p + i + 1, count - i - 1) else { return nil }
      exponent &+= power
    }
    return (digits, exponent, isNegative)
  }

  /// The number behind an e; far from zero it need not be exact.
  private static func power(_ p: UnsafePointer<UInt8>, _ count: Int) -> Int? {
    var i = 0
    let isNegative = count > 0 && p[0] == UInt8(ascii: "-")
    if isNegative || count > 0 && p[0] == UInt8(ascii: "+") { i = 1 }
    if i == count { return nil }
    var power = 0
    while i < count {
      let digit = p[i] &- UInt8(ascii: "0")
      if digit > 9 { return nil }
      power = min(power &* 10 &+ Int(digit), 1_000_000_000)
      i &+= 1
    }
    return isNegative ? -power : power
  }

  @inline(never)
  private static func standard(_ p: UnsafePointer<UInt8>, _ count: Int) -> Float? {
    Float(String(decoding: UnsafeBufferPointer(start: p, count: count), as: UTF8.self))
  }

  /// 10⁰ … 10²², the powers of ten that are exact.
  private static let powers: [Double] = [
    1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18,
    1e19,
    1e20, 1e21, 1e22,
  ]
}
