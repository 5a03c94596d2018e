// x·Φ(x) with the normal distribution function Φ.
//
//     Φ(−z) = exp(−z²/2)·P(t)/(z + 4),  t = (z − 4)/(z + 4),  z ≥ 0
//
// P, the scaled complementary error function in a variable that maps all z to −1 … 1, is smooth, between 0.4 and 2; its
// polynomials are best approximations of the relative error: 1.3e-9 for z ≤ 15 (Float), 1.5e-18 for z ≤ 39.5 (Double).
// The rounding error of z² would be multiplied by z²/2, so z is cut in two: z²/2 = h²/2 + (h + z)·(z − h)/2, the first
// of them exact.

extension VectorUnit where Vector: SIMD, Vector.Scalar == Scalar, Scalar: BinaryFloatingPoint & SIMDScalar {
  /// What Φ(−z) is made of: exp(−z²/2) = 2ⁿ·bell, P, and z + 4.
  @_alwaysEmitIntoClient @inline(__always)
  static func normalParts(_ z: Vector) -> (bell: Pair<Self>, n: Vector, p: Pair<Self>, divisor: Pair<Self>) {
    let parts = split(z)
    let low = (parts.high + z) * parts.low * broadcast(0.5)
    let (tail, n) = exponentialParts(parts.high * parts.high * broadcast(-0.5), minus: low)
    let divisor = Pair<Self>(z, plus: broadcast(4))
    let t = Pair<Self>(z, plus: broadcast(-4)).divided(by: divisor)
    return (onePlus(tail), n, normalSeries(t), divisor)
  }

  /// |x|, as far as Φ(−|x|) is not 0.
  @_alwaysEmitIntoClient @inline(__always)
  static func normalArgument(_ x: Vector) -> Vector {
    clamped(magnitude(x), zero, constant(15, 39.5))
  }

  /// x − z·Φ(−z) for x = z ≥ 0, −z·Φ(−z) for x = −z.
  @_alwaysEmitIntoClient @inline(__always)
  static func gelu(_ x: Vector) -> Vector {
    let z = normalArgument(x)
    let (bell, n, p, divisor) = normalParts(z)
    let lower = scaled(Pair<Self>(z).times(p).times(bell).divided(by: divisor).sum, n)
    return select(-lower, x - lower, where: zero, exceeds: x)
  }

  /// Φ(x) + x·φ(x)
  @_alwaysEmitIntoClient @inline(__always)
  static func geluDerivative(_ x: Vector) -> Vector {
    let z = normalArgument(x)
    let (bell, n, p, divisor) = normalParts(z)
    let lower = scaled(divide(p.high * bell.high, divisor.high), n)
    let slope = z * scaled(bell.high, n) * broadcast(0.398942280401432677939946)
    return select(lower - slope, one - lower + slope, where: zero, exceeds: x)
  }

  /// P(t), the last two steps in pairs; for the low part of t, P′ from the first coefficients is enough.
  @_alwaysEmitIntoClient @inline(__always)
  static func normalSeries(_ x: Pair<Self>) -> Pair<Self> {
    let t = x.high
    var h: Horner<Self>
    if MemoryLayout<Scalar>.size == 4 {
      h = Horner(t, -4.50604466809e-5)(-0.000219282733365)(0.000171860192003)(0.00163548543459)
      h = h(-0.00349222062935)(-0.00754261331352)(0.0603983533266)(-0.186521573969)(0.387137304933)
    } else {
      h = Horner(t, -6.6625500457284038326e-10)(-2.4071071113275809779e-9)(1.74474848782076334901e-9)
      h = h(1.91948930346627323277e-8)(1.34660411428541880734e-8)(-8.47281774770387635259e-8)
      h = h(-1.55031491285978424062e-7)(2.71185772141104768268e-7)(0.00000102152144050585470132)
      h = h(-6.29345056369097395117e-7)(-0.00000592012954290914679223)(7.16537216579500201469e-7)
      h = h(0.0000351446661596781338364)(-0.00000190822781012106442429)(-0.00023109493034944083097)
      h = h(0.00013334430783441747699)(0.0016308184569375001272)(-0.00347969236699258722129)
      h = h(-0.00754018896668059493485)(0.0603965748909184202196)(-0.186521857959658699666)
      h = h(0.387137400742214862632)
    }
    let slope = Horner<Self>(t, 0.2416)(-0.5596)(0.7743)(-0.6079).sum
    let q = Pair<Self>(h.sum).horner(
      t, constant(-0.607896649356, -0.607896641971892094511), constant(-2.3360364e-8, -1.2342599e-17))
    let p = q.horner(
      t, constant(0.755285131296, 0.755285130415751492325), constant(-1.2556234e-8, -2.3217311e-17))
    return Pair(p.high, p.low + slope * x.low)
  }
}
