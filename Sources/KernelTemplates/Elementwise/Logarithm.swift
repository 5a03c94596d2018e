// ln x.
//
//     x = 2ᵉ·m, √½ ≤ m < √2, f = m − 1, s = f/(2 + f)
//     ln(1 + f) = 2·artanh s = f − (f²/2 − s·(f²/2 + R)),  R = 2·(s²/3 + s⁴/5 + …)
//
// The form is that of fdlibm's log (Ng 1993), with the plain series for R: to s⁸ for Float, s²⁰ for Double.

extension VectorUnit where Vector: SIMD, Vector.Scalar == Scalar, Scalar: BinaryFloatingPoint & SIMDScalar {
  @_alwaysEmitIntoClient @inline(__always)
  static func logarithm(_ x: Vector) -> Vector {
    // Numbers below the smallest normal one are brought into range first.
    let least = broadcast(Scalar.leastNormalMagnitude)
    let normal = select(x * constant(0x1p24, 0x1p54), x, where: least, exceeds: x)
    let lift = select(constant(24, 54), zero, where: least, exceeds: x)
    let exponent = biasedExponent(normal) - constant(127, 1023)
    let significand = scaled(normal, -exponent)
    let root = broadcast(1.41421356237309504880)
    let m = select(significand * broadcast(0.5), significand, where: significand, exceeds: root)
    let e = exponent + select(one, zero, where: significand, exceeds: root) - lift

    let f = m - one
    let s = divide(f, f + broadcast(2))
    let half = broadcast(0.5) * f * f
    let lower = multiplyAdd(s, half + logarithmSeries(s * s), e * broadcast(ln2Rest))
    let result = multiplyAdd(e, broadcast(0.693145751953125), f - (half - lower))

    // ∞ is itself, 0 becomes −∞, negative numbers NaN, and NaN stays.
    let above = select(x, result, where: x, exceeds: broadcast(.greatestFiniteMagnitude))
    let below = select(broadcast(.nan), x * zero - broadcast(.infinity), where: zero, exceeds: x)
    return select(above, below, where: x, exceeds: zero)
  }

  /// 2·(z/3 + z²/5 + …)
  @_alwaysEmitIntoClient @inline(__always)
  static func logarithmSeries(_ z: Vector) -> Vector {
    var h: Horner<Self>
    if MemoryLayout<Scalar>.size == 4 {
      h = Horner(z, 2.0 / 9)
    } else {
      h = Horner(z, 2.0 / 21)(2.0 / 19)(2.0 / 17)(2.0 / 15)(2.0 / 13)(2.0 / 11)(2.0 / 9)
    }
    return h(2.0 / 7)(2.0 / 5)(2.0 / 3)(0).sum
  }
}
