/// Eight neighbouring elements: what elementwise passes and update rules compute with at once.
///
/// Arithmetic is lane by lane, also with a scalar on either side. Why not the standard library's vector itself: of generic
/// code the compiler makes loops over lanes, even where it is specialised; here every operation is one on a concrete
/// vector.
@frozen
public struct Lanes<Scalar: KernelScalar>: Equatable {
  @usableFromInline var vector: SIMD8<Scalar>

  @inlinable @inline(__always)
  init(_ vector: SIMD8<Scalar>) { self.vector = vector }

  /// The same in all lanes.
  @inlinable @inline(__always)
  public init(repeating x: Scalar) {
    if Scalar.self == Float.self {
      let vector = SIMD8<Float>(repeating: unsafeBitCast(x, to: Float.self))
      self = unsafeBitCast(vector, to: Lanes.self)
    } else if Scalar.self == Double.self {
      let vector = SIMD8<Double>(repeating: unsafeBitCast(x, to: Double.self))
      self = unsafeBitCast(vector, to: Lanes.self)
    } else {
      vector = SIMD8(repeating: x)
    }
  }

  /// 0 in all lanes.
  @inlinable @inline(__always)
  public static var zero: Lanes { Lanes(.zero) }

  /// The element in a lane, 0…7.
  @inlinable @inline(__always)
  public subscript(lane: Int) -> Scalar {
    get { vector[lane] }
    set { vector[lane] = newValue }
  }

  /// The sum of the lanes, pair by pair.
  @inlinable @inline(__always)
  public func sum() -> Scalar { vector.sum() }

  @inlinable @inline(__always)
  public static func + (a: Lanes, b: Lanes) -> Lanes { combine(a, b, { $0 + $1 }, { $0 + $1 }, { $0 + $1 }) }

  @inlinable @inline(__always)
  public static func - (a: Lanes, b: Lanes) -> Lanes { combine(a, b, { $0 - $1 }, { $0 - $1 }, { $0 - $1 }) }

  @inlinable @inline(__always)
  public static func * (a: Lanes, b: Lanes) -> Lanes { combine(a, b, { $0 * $1 }, { $0 * $1 }, { $0 * $1 }) }

  @inlinable @inline(__always)
  public static func / (a: Lanes, b: Lanes) -> Lanes { combine(a, b, { $0 / $1 }, { $0 / $1 }, { $0 / $1 }) }

  /// Chooses the text for the element type; other types than these two go lane by lane.
  @inlinable @inline(__always)
  static func combine(
    _ a: Lanes, _ b: Lanes, _ floats: (SIMD8<Float>, SIMD8<Float>) -> SIMD8<Float>,
    _ doubles: (SIMD8<Double>, SIMD8<Double>) -> SIMD8<Double>,
    _ others: (SIMD8<Scalar>, SIMD8<Scalar>) -> SIMD8<Scalar>
  ) -> Lanes {
    if Scalar.self == Float.self {
      let (a, b) = (unsafeBitCast(a, to: SIMD8<Float>.self), unsafeBitCast(b, to: SIMD8<Float>.self))
      return unsafeBitCast(floats(a, b), to: Lanes.self)
    }
    if Scalar.self == Double.self {
      let (a, b) = (unsafeBitCast(a, to: SIMD8<Double>.self), unsafeBitCast(b, to: SIMD8<Double>.self))
      return unsafeBitCast(doubles(a, b), to: Lanes.self)
    }
    return Lanes(others(a.vector, b.vector))
  }
}

extension Lanes {
  @inlinable @inline(__always)
  public static prefix func - (a: Lanes) -> Lanes {
    combine(a, a, { x, _ in -x }, { x, _ in -x }, { x, _ in -x })
  }

  @inlinable @inline(__always)
  public static func += (a: inout Lanes, b: Lanes) { a = a + b }

  @inlinable @inline(__always)
  public static func -= (a: inout Lanes, b: Lanes) { a = a - b }

  @inlinable @inline(__always)
  public static func + (a: Lanes, b: Scalar) -> Lanes { a + Lanes(repeating: b) }

  @inlinable @inline(__always)
  public static func - (a: Lanes, b: Scalar) -> Lanes { a - Lanes(repeating: b) }

  @inlinable @inline(__always)
  public static func * (a: Lanes, b: Scalar) -> Lanes { a * Lanes(repeating: b) }

  @inlinable @inline(__always)
  public static func / (a: Lanes, b: Scalar) -> Lanes { a / Lanes(repeating: b) }

  @inlinable @inline(__always)
  public static func + (a: Scalar, b: Lanes) -> Lanes { Lanes(repeating: a) + b }

  @inlinable @inline(__always)
  public static func - (a: Scalar, b: Lanes) -> Lanes { Lanes(repeating: a) - b }

  @inlinable @inline(__always)
  public static func * (a: Scalar, b: Lanes) -> Lanes { Lanes(repeating: a) * b }

  @inlinable @inline(__always)
  public static func / (a: Scalar, b: Lanes) -> Lanes { Lanes(repeating: a) / b }
}
