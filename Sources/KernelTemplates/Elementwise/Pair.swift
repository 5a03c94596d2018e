/// An unevaluated sum high + low with |low| ≤ ulp(high)/2, about: twice the precision of a vector.
///
/// The functions of this folder carry their last steps in pairs, so that one rounding is left at the end. Errors of sums
/// (Knuth's TwoSum) and products (Dekker) are exact, and so the same with and without fused multiply-add.
@frozen
public struct Pair<Unit: VectorUnit>
where Unit.Vector: SIMD, Unit.Vector.Scalar == Unit.Scalar, Unit.Scalar: BinaryFloatingPoint & SIMDScalar {
  public var high: Unit.Vector
  public var low: Unit.Vector

  @_alwaysEmitIntoClient @inline(__always)
  public init(_ high: Unit.Vector, _ low: Unit.Vector = Unit.zero) {
    self.high = high
    self.low = low
  }

  /// a + b for |a| ≥ |b|.
  @_alwaysEmitIntoClient @inline(__always)
  public init(larger a: Unit.Vector, plus b: Unit.Vector) {
    high = a + b
    low = (a - high) + b
  }

  /// a + b
  @_alwaysEmitIntoClient @inline(__always)
  public init(_ a: Unit.Vector, plus b: Unit.Vector) {
    high = a + b
    let part = high - a
    low = (a - (high - part)) + (b - part)
  }

  /// a·b
  @_alwaysEmitIntoClient @inline(__always)
  public init(_ a: Unit.Vector, times b: Unit.Vector) {
    high = a * b
    low = Unit.productError(a, b, high)
  }

  /// self·b, in which low parts are rounded.
  @_alwaysEmitIntoClient @inline(__always)
  public func times(_ b: Pair) -> Pair {
    let product = Pair(high, times: b.high)
    return Pair(product.high, product.low + (high * b.low + low * b.high))
  }

  /// self/b, with a quotient that is rounded and the rest.
  @_alwaysEmitIntoClient @inline(__always)
  public func divided(by b: Pair) -> Pair {
    let q = Unit.divide(high, b.high)
    let back = Pair(q, times: b.high)
    return Pair(q, Unit.divide(((high - back.high) - back.low) + (low - q * b.low), b.high))
  }

  /// self·x + c + cLow: a step of Horner's rule.
  @_alwaysEmitIntoClient @inline(__always)
  public func horner(_ x: Unit.Vector, _ c: Unit.Vector, _ cLow: Unit.Vector) -> Pair {
    let product = Pair(high, times: x)
    let sum = Pair(c, plus: product.high)
    return Pair(sum.high, sum.low + (product.low + low * x + cLow))
  }

  /// With one rounding.
  @_alwaysEmitIntoClient @inline(__always)
  public var sum: Unit.Vector { high + low }
}

extension VectorUnit where Vector: SIMD, Vector.Scalar == Scalar, Scalar: BinaryFloatingPoint & SIMDScalar {
  /// x = high + low, high with half of the bits (Veltkamp).
  @_alwaysEmitIntoClient @inline(__always)
  public static func split(_ x: Vector) -> Pair<Self> {
    let c = x * constant(0x1p12 + 1, 0x1p27 + 1)
    let high = c - (c - x)
    return Pair(high, x - high)
  }

  /// a·b − product, exactly, without fused multiply-add (Dekker).
  @_alwaysEmitIntoClient @inline(__always)
  public static func splitProductError(_ a: Vector, _ b: Vector, _ product: Vector) -> Vector {
    let (a, b) = (split(a), split(b))
    return ((a.high * b.high - product) + a.high * b.low + a.low * b.high) + a.low * b.low
  }
}
