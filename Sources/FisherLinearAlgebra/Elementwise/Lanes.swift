/// Eight neighbouring elements: what elementwise passes and update rules compute with at once.
///
/// Arithmetic is lane by lane, also with a scalar on either side. Why not the standard library's vector itself: of generic
/// code the compiler makes loops over lanes, even where it is specialised; here every operation is one on a concrete
/// vector (``LaneArithmetic``).
@frozen
public struct Lanes<Scalar: KernelScalar>: Equatable {
  @usableFromInline var vector: SIMD8<Scalar>

  @inlinable @inline(__always)
  init(_ vector: SIMD8<Scalar>) { self.vector = vector }

  /// The same in all lanes.
  @inlinable @inline(__always)
  public init(repeating x: Scalar) {
    vector = Scalar._repeated(x)
  }

  /// 0 in all lanes.
  @inlinable @inline(__always)
  public static var zero: Lanes { Lanes(.zero) }

  /// Whether all lanes are equal, NaN to nothing.
  @inlinable @inline(__always)
  public static func == (a: Lanes, b: Lanes) -> Bool { a.vector == b.vector }

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
  public static func + (a: Lanes, b: Lanes) -> Lanes { Lanes(Scalar._sum(a.vector, b.vector)) }

  @inlinable @inline(__always)
  public static func - (a: Lanes, b: Lanes) -> Lanes { Lanes(Scalar._difference(a.vector, b.vector)) }

  @inlinable @inline(__always)
  public static func * (a: Lanes, b: Lanes) -> Lanes { Lanes(Scalar._product(a.vector, b.vector)) }

  @inlinable @inline(__always)
  public static func / (a: Lanes, b: Lanes) -> Lanes { Lanes(Scalar._quotient(a.vector, b.vector)) }
}

extension Lanes {
  @inlinable @inline(__always)
  public static prefix func - (a: Lanes) -> Lanes { Lanes(Scalar._negative(a.vector)) }

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
