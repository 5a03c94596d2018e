import Builtin

// Normal numbers by Box and Muller (1958): √(−2·ln(1 − u))·cos 2πt, u and t uniform in [0, 1).
//
//     1 − u = 2ᵉ·m, √½ ≤ m < √2, f = m − 1, s = f/(2 + f)
//     ln(1 + f) = f − (f²/2 − s·(f²/2 + R)),  R = 2·(s²/3 + s⁴/5 + …)
//     cos 2πt = sin y,  y = 2π·(|t − ½| − ¼)
//
// u and t are multiples of 2⁻⁵³, so 1 − u and |t − ½| − ¼ are exact. Both series are Taylor's, cut where the next term is
// below a hundredth of an ulp: s²⁰ and y²³. The error is below 4 ulps. No libm, whose last bits differ from version to
// version, and no fused multiply-add, which not all machines have: these are the same bits everywhere.

extension RandomStream {
  /// Normal with variance 1, from words 2i and 2i + 1.
  public func normal(_ i: Int) -> Double { normals(i)[0] }

  /// Normal numbers i … i + 3: four take little longer than one.
  public func normals(_ i: Int) -> SIMD4<Double> { vectors(of: i) }

  /// The same, for modules that compile it for their instruction set: there are no roundings that depend on that.
  @inlinable @inline(__always)
  package func vectors(of i: Int) -> SIMD4<Double> {
    // Word 2i and the even ones after it.
    let place = UInt64(truncatingIfNeeded: 2 &* i &+ 1) &* Self.increment
    let even = start &+ place &+ SIMD4(0, 2, 4, 6) &* Self.increment
    return Self.boxMuller(Self.units(even), Self.units(even &+ Self.increment))
  }

  /// The numbers in [0, 1) of four words that have yet to be mixed.
  @inlinable @inline(__always)
  static func units(_ words: SIMD4<UInt64>) -> SIMD4<Double> {
    var z = words
    z = (z ^ (z &>> 30)) &* firstFactor
    z = (z ^ (z &>> 27)) &* secondFactor
    z = (z ^ (z &>> 31)) &>> 11
    // 53 bits are 32 and 21, each exact behind the leading bit of 2⁸⁴ and 2⁵².
    let upper = number((z &>> 32) | 0x1p84.bitPattern) - (0x1p84 + 0x1p52)
    return (upper + number((z & 0xFFFF_FFFF) | 0x1p52.bitPattern)) * 0x1p-53
  }

  /// Calls `body` with the normal numbers of a range, in their order. Kernels write them faster.
  @inlinable @inline(__always)
  public func forEachNormal(in range: Range<Int>, _ body: (Double) -> Void) {
    var i = range.lowerBound
    while i < range.upperBound {
      let numbers = normals(i)
      for lane in 0..<min(4, range.upperBound &- i) { body(numbers[lane]) }
      i &+= 4
    }
  }

  /// - Parameters:
  ///   - u: multiples of 2⁻⁵³ in [0, 1), as `t`.
  @inlinable @inline(__always)
  package static func boxMuller(_ u: SIMD4<Double>, _ t: SIMD4<Double>) -> SIMD4<Double> {
    squareRoot(-2 * logarithm(1 - u)) * cosine(turns: t)
  }

  /// ln x for normal numbers x.
  @inlinable @inline(__always)
  static func logarithm(_ x: SIMD4<Double>) -> SIMD4<Double> {
    // The exponent field of x/√½, so that m is where it shall be.
    let field = (bits(x) &+ (1.0.bitPattern &- 0.5.squareRoot().bitPattern)) &>> 52
    let m = number(bits(x) &- ((field &- 1023) &<< 52))
    let e = number(field | 0x1p52.bitPattern) - (0x1p52 + 1023)

    let f = m - 1
    let s = f / (f + 2)
    let half = 0.5 * f * f
    let series = taylor(
      s * s, 2.0 / 21, 2.0 / 19, 2.0 / 17, 2.0 / 15, 2.0 / 13, 2.0 / 11, 2.0 / 9, 2.0 / 7, 2.0 / 5, 2.0 / 3, 0
    )
    // ln 2 in two parts, the first with so few digits that its product with e is exact.
    let lower = s * (half + series) + e * 1.428606820309417232121458176568e-6
    return e * 0.693145751953125 + (f - (half - lower))
  }

  /// cos 2πt for 0 ≤ t < 1.
  @inlinable @inline(__always)
  static func cosine(turns t: SIMD4<Double>) -> SIMD4<Double> {
    let distance = number(bits(t - 0.5) & ~(1 &<< 63))
    let y = (distance - 0.25) * (2 * Double.pi)
    let z = y * y
    let series = taylor(
      z, -1 / (506 * 51_090_942_171_709_440_000), 1 / 51_090_942_171_709_440_000,
      -1 / 121_645_100_408_832_000,
      1 / 355_687_428_096_000, -1 / 1_307_674_368_000, 1 / 6_227_020_800, -1 / 39_916_800, 1 / 362_880,
      -1 / 5040, 1 / 120, -1 / 6)
    return y + y * (z * series)
  }

  /// Horner's rule, the highest coefficient first.
  @inlinable @inline(__always)
  static func taylor(_ x: SIMD4<Double>, _ coefficients: Double...) -> SIMD4<Double> {
    var sum = SIMD4(repeating: coefficients[0])
    for i in 1..<coefficients.count { sum = sum * x + coefficients[i] }
    return sum
  }

  /// √x of all lanes at once: the library's own goes through libm, lane by lane.
  @inlinable @inline(__always)
  static func squareRoot(_ x: SIMD4<Double>) -> SIMD4<Double> {
    var root = x
    root._storage._value = Builtin.int_sqrt_Vec4xFPIEEE64(x._storage._value)
    return root
  }

  @inlinable @inline(__always)
  static func bits(_ x: SIMD4<Double>) -> SIMD4<UInt64> { unsafeBitCast(x, to: SIMD4<UInt64>.self) }

  @inlinable @inline(__always)
  static func number(_ bits: SIMD4<UInt64>) -> SIMD4<Double> {
    unsafeBitCast(bits, to: SIMD4<Double>.self)
  }
}
