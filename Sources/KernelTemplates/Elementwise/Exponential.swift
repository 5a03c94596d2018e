// eˣ and what is made of it.
//
//     x = n·ln 2 + r, |r| ≤ ln 2 / 2;  eˣ = 2ⁿ·(1 + τ),  τ = r + r²·(1/2! + r/3! + …)
//
// ln 2 is split so that n times its first part is exact: r has one rounding. The Taylor series ends where the next term
// is below a tenth of an ulp: r⁷ for Float, r¹³ for Double. What rounding r loses is known and added to τ. 2ⁿ is applied in two halves, so results below the smallest
// normal number are rounded once.

extension VectorUnit where Vector: SIMD, Vector.Scalar == Scalar, Scalar: BinaryFloatingPoint & SIMDScalar {
  /// The largest integers that have neighbours at distance 1: added and taken away again, it rounds to an integer.
  @_alwaysEmitIntoClient @inline(__always)
  static var integerShift: Vector { constant(0x1.8p23, 0x1.8p52) }

  /// x rounded to an integer, ties to even, for |x| below a quarter of ``integerShift``.
  @_alwaysEmitIntoClient @inline(__always)
  static func rounded(_ x: Vector) -> Vector { (x + integerShift) - integerShift }

  /// v·2ⁿ with one rounding, for twice the range of exponents.
  @_alwaysEmitIntoClient @inline(__always)
  static func scaled(_ v: Vector, _ n: Vector) -> Vector {
    let half = rounded(n * broadcast(0.5))
    return v * powerOfTwo(half) * powerOfTwo(n - half)
  }

  /// x between `least` and `most`; NaN stays.
  @_alwaysEmitIntoClient @inline(__always)
  static func clamped(_ x: Vector, _ least: Vector, _ most: Vector) -> Vector {
    let x = select(most, x, where: x, exceeds: most)
    return select(least, x, where: least, exceeds: x)
  }

  /// Below, eˣ and x·eˣ are 0.
  @_alwaysEmitIntoClient @inline(__always)
  static var leastExponent: Vector { constant(-120, -760) }

  /// n and the exact x − n·(first part of ln 2).
  @_alwaysEmitIntoClient @inline(__always)
  static func reduced(_ x: Vector) -> (n: Vector, rest: Vector) {
    let n = multiplyAdd(x, broadcast(1.442695040888963407359924681), integerShift) - integerShift
    return (n, multiplyAdd(n, broadcast(-0.693145751953125), x))
  }

  /// The second part of ln 2.
  @_alwaysEmitIntoClient @inline(__always)
  static var ln2Rest: Scalar { 1.428606820309417232121458176568e-6 }

  /// (eʳ − 1 − r)/r²
  @_alwaysEmitIntoClient @inline(__always)
  static func exponentialSeries(_ r: Vector) -> Vector {
    var h: Horner<Self>
    if MemoryLayout<Scalar>.size == 4 {
      h = Horner(r, 1.0 / 5040)
    } else {
      h = Horner(r, 1.0 / 6_227_020_800)(1.0 / 479_001_600)(1.0 / 39_916_800)(1.0 / 3_628_800)(1.0 / 362_880)
      h = h(1.0 / 40_320)(1.0 / 5040)
    }
    h = h(1.0 / 720)(1.0 / 120)(1.0 / 24)
    return h(1.0 / 6)(0.5).sum
  }

  /// τ and n of exp(x − low) = 2ⁿ·(1 + τ), for a small `low`; the error of τ is some hundredths of an ulp of 1.
  @_alwaysEmitIntoClient @inline(__always)
  static func exponentialParts(_ x: Vector, minus low: Vector) -> (tail: Pair<Self>, n: Vector) {
    let (n, rest) = reduced(x)
    let r = Pair<Self>(rest, plus: multiplyAdd(n, broadcast(-ln2Rest), -low))
    return (Pair(larger: r.high, plus: multiplyAdd(r.high * r.high, exponentialSeries(r.high), r.low)), n)
  }

  /// exp(x − low)
  @_alwaysEmitIntoClient @_transparent
  static func exponential(_ x: Vector, minus low: Vector) -> Vector {
    let (tail, n) = exponentialParts(clamped(x, leastExponent, constant(90, 712)), minus: low)
    return scaled(onePlus(tail).sum, n)
  }

  /// 1 + a for |a| ≤ 1.
  @_alwaysEmitIntoClient @inline(__always)
  static func onePlus(_ a: Pair<Self>) -> Pair<Self> {
    let sum = Pair<Self>(larger: one, plus: a.high)
    return Pair(sum.high, sum.low + a.low)
  }

  /// |x|
  @_alwaysEmitIntoClient @inline(__always)
  static func magnitude(_ x: Vector) -> Vector { select(-x, x, where: zero, exceeds: x) }

  /// tanh |x| = e/(e + 2) with e = exp(2|x|) − 1 = (2ⁿ − 1) + 2ⁿ·τ.
  @_alwaysEmitIntoClient @inline(__always)
  static func hyperbolicTangent(_ x: Vector) -> Vector {
    let z = magnitude(x)
    let (tail, n) = exponentialParts(clamped(z + z, zero, broadcast(40)), minus: zero)
    let power = powerOfTwo(n)
    let e = Pair<Self>(power - one, plus: power * tail.high)
    let low = e.low + power * tail.low
    let divisor = Pair<Self>(e.high, plus: broadcast(2))
    let t = Pair<Self>(e.high, low).divided(by: Pair(divisor.high, divisor.low + low)).sum
    return odd(t, x)
  }

  /// The function of x that is odd, given its value t at |x|: zeros and NaN are themselves.
  @_alwaysEmitIntoClient @inline(__always)
  static func odd(_ t: Vector, _ x: Vector) -> Vector {
    select(-t, select(t, x, where: x, exceeds: zero), where: zero, exceeds: x)
  }

  /// For z ≥ 0: exp(−z) = 2ⁿ·(1 + τ), and 1 + exp(−z).
  @_alwaysEmitIntoClient @inline(__always)
  static func decay(_ z: Vector) -> (value: Pair<Self>, n: Vector, onePlus: Pair<Self>) {
    let (tail, n) = exponentialParts(clamped(-z, leastExponent, zero), minus: zero)
    let value = onePlus(tail)
    // Below the smallest normal number 1 + exp(−z) is 1 all the same.
    let power = powerOfTwo(clamped(n, constant(-126, -1022), zero))
    return (value, n, onePlus(Pair<Self>(power * value.high, power * value.low)))
  }

  /// σ(x) and 1 − σ(x), neither with cancellation: 1/(1 + e) and e/(1 + e) with e = exp(−|x|).
  @_alwaysEmitIntoClient @inline(__always)
  static func sigmoid(_ x: Vector) -> (value: Vector, complement: Vector) {
    let (e, n, divisor) = decay(magnitude(x))
    let small = scaled(e.divided(by: divisor).sum, n)
    let large = Pair<Self>(one).divided(by: divisor).sum
    return (
      select(small, large, where: zero, exceeds: x), select(large, small, where: zero, exceeds: x)
    )
  }

  /// x·σ(x): x/(1 + e) or x·e/(1 + e), multiplied before e becomes too small.
  @_alwaysEmitIntoClient @inline(__always)
  static func silu(_ x: Vector) -> Vector {
    let bounded = clamped(x, leastExponent, -leastExponent)
    let (e, n, divisor) = decay(magnitude(bounded))
    let small = scaled(Pair<Self>(bounded).times(e).divided(by: divisor).sum, n)
    let large = Pair<Self>(bounded).divided(by: divisor).sum
    let above = select(x, large, where: x, exceeds: -leastExponent)
    // A zero keeps its sign, and NaN stays.
    return select(small, select(above, x, where: x, exceeds: zero), where: zero, exceeds: x)
  }

  /// σ + x·σ·(1 − σ)
  @_alwaysEmitIntoClient @inline(__always)
  static func siluDerivative(_ x: Vector) -> Vector {
    let s = sigmoid(x)
    return multiplyAdd(x * s.value, s.complement, s.value)
  }
}
