import Builtin

/// What ``Lanes`` of one element type compute with: implementation, not for use outside of the library.
///
/// Requirements with a text for each type, for two reasons. Of generic text the compiler makes loops over lanes, even
/// where it is specialised. And of a generic caller it keeps an unspecialised form as well, in which every operation
/// is one call this way, and not the text of all types.
public protocol LaneArithmetic: BinaryFloatingPoint, SIMDScalar, Codable {
  /// x in all lanes.
  static func _repeated(_ x: Self) -> SIMD8<Self>
  /// a + b
  static func _sum(_ a: SIMD8<Self>, _ b: SIMD8<Self>) -> SIMD8<Self>
  /// a − b
  static func _difference(_ a: SIMD8<Self>, _ b: SIMD8<Self>) -> SIMD8<Self>
  /// a·b
  static func _product(_ a: SIMD8<Self>, _ b: SIMD8<Self>) -> SIMD8<Self>
  /// a / b
  static func _quotient(_ a: SIMD8<Self>, _ b: SIMD8<Self>) -> SIMD8<Self>
  /// −a
  static func _negative(_ a: SIMD8<Self>) -> SIMD8<Self>
  /// √a, correctly rounded.
  static func _squareRoot(_ a: SIMD8<Self>) -> SIMD8<Self>
  /// The larger of each pair; a NaN in `b` is dropped.
  static func _maximum(_ a: SIMD8<Self>, _ b: SIMD8<Self>) -> SIMD8<Self>
  /// −1, 0 or 1; 0 for NaN.
  static func _sign(_ a: SIMD8<Self>) -> SIMD8<Self>
}

/// Lane by lane, for types that count their operations.
extension LaneArithmetic {
  public static func _repeated(_ x: Self) -> SIMD8<Self> { SIMD8(repeating: x) }
  public static func _sum(_ a: SIMD8<Self>, _ b: SIMD8<Self>) -> SIMD8<Self> { a + b }
  public static func _difference(_ a: SIMD8<Self>, _ b: SIMD8<Self>) -> SIMD8<Self> { a - b }
  public static func _product(_ a: SIMD8<Self>, _ b: SIMD8<Self>) -> SIMD8<Self> { a * b }
  public static func _quotient(_ a: SIMD8<Self>, _ b: SIMD8<Self>) -> SIMD8<Self> { a / b }
  public static func _negative(_ a: SIMD8<Self>) -> SIMD8<Self> { -a }
  public static func _squareRoot(_ a: SIMD8<Self>) -> SIMD8<Self> { a.squareRoot() }
  public static func _maximum(_ a: SIMD8<Self>, _ b: SIMD8<Self>) -> SIMD8<Self> {
    a.replacing(with: b, where: b .> a)
  }
  public static func _sign(_ a: SIMD8<Self>) -> SIMD8<Self> {
    let zero = SIMD8<Self>.zero
    return zero.replacing(with: 1, where: a .> zero).replacing(with: -1, where: a .< zero)
  }
}

extension Float: LaneArithmetic {
  @inlinable @inline(__always)
  public static func _repeated(_ x: Self) -> SIMD8<Self> { SIMD8(repeating: x) }

  @inlinable @inline(__always)
  public static func _sum(_ a: SIMD8<Self>, _ b: SIMD8<Self>) -> SIMD8<Self> { a + b }

  @inlinable @inline(__always)
  public static func _difference(_ a: SIMD8<Self>, _ b: SIMD8<Self>) -> SIMD8<Self> { a - b }

  @inlinable @inline(__always)
  public static func _product(_ a: SIMD8<Self>, _ b: SIMD8<Self>) -> SIMD8<Self> { a * b }

  @inlinable @inline(__always)
  public static func _quotient(_ a: SIMD8<Self>, _ b: SIMD8<Self>) -> SIMD8<Self> { a / b }

  @inlinable @inline(__always)
  public static func _negative(_ a: SIMD8<Self>) -> SIMD8<Self> { -a }

  @inlinable @inline(__always)
  public static func _squareRoot(_ a: SIMD8<Self>) -> SIMD8<Self> {
    let root = Builtin.int_sqrt_Vec8xFPIEEE32(unsafeBitCast(a, to: Builtin.Vec8xFPIEEE32.self))
    return unsafeBitCast(root, to: SIMD8<Self>.self)
  }

  @inlinable @inline(__always)
  public static func _maximum(_ a: SIMD8<Self>, _ b: SIMD8<Self>) -> SIMD8<Self> {
    a.replacing(with: b, where: b .> a)
  }

  @inlinable @inline(__always)
  public static func _sign(_ a: SIMD8<Self>) -> SIMD8<Self> {
    let zero = SIMD8<Self>.zero
    return zero.replacing(with: 1, where: a .> zero).replacing(with: -1, where: a .< zero)
  }
}

extension Double: LaneArithmetic {
  @inlinable @inline(__always)
  public static func _repeated(_ x: Self) -> SIMD8<Self> { SIMD8(repeating: x) }

  @inlinable @inline(__always)
  public static func _sum(_ a: SIMD8<Self>, _ b: SIMD8<Self>) -> SIMD8<Self> { a + b }

  @inlinable @inline(__always)
  public static func _difference(_ a: SIMD8<Self>, _ b: SIMD8<Self>) -> SIMD8<Self> { a - b }

  @inlinable @inline(__always)
  public static func _product(_ a: SIMD8<Self>, _ b: SIMD8<Self>) -> SIMD8<Self> { a * b }

  @inlinable @inline(__always)
  public static func _quotient(_ a: SIMD8<Self>, _ b: SIMD8<Self>) -> SIMD8<Self> { a / b }

  @inlinable @inline(__always)
  public static func _negative(_ a: SIMD8<Self>) -> SIMD8<Self> { -a }

  @inlinable @inline(__always)
  public static func _squareRoot(_ a: SIMD8<Self>) -> SIMD8<Self> {
    let root = Builtin.int_sqrt_Vec8xFPIEEE64(unsafeBitCast(a, to: Builtin.Vec8xFPIEEE64.self))
    return unsafeBitCast(root, to: SIMD8<Self>.self)
  }

  @inlinable @inline(__always)
  public static func _maximum(_ a: SIMD8<Self>, _ b: SIMD8<Self>) -> SIMD8<Self> {
    a.replacing(with: b, where: b .> a)
  }

  @inlinable @inline(__always)
  public static func _sign(_ a: SIMD8<Self>) -> SIMD8<Self> {
    let zero = SIMD8<Self>.zero
    return zero.replacing(with: 1, where: a .> zero).replacing(with: -1, where: a .< zero)
  }
}
