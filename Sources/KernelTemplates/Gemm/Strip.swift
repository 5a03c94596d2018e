// A strip is one row of a register tile: one or more vectors side by side. Strips are composed from types, because
// the compiler keeps members of nested structs in registers, but not the elements of a looped-over array.

/// The vectors of one row of a tile, and the matching vectors of one row of B.
public protocol Strip {
  associatedtype Unit: VectorUnit
  /// How many vectors stand side by side.
  static var vectors: Int { get }

  /// All zeros.
  init()
  /// One row of B. `last` masks the last vector, if this strip may be cut off.
  init(loading p: UnsafePointer<Unit.Scalar>, _ last: Unit.Mask)
  /// self ← self + a·b in every lane.
  mutating func multiplyAdd(_ a: Unit.Vector, _ b: Self)
  /// self ← self·a in every lane.
  mutating func multiply(by a: Unit.Vector)
  /// self ← self / a in every lane.
  mutating func divide(by a: Unit.Vector)
  /// c ← self
  func store(to c: UnsafeMutablePointer<Unit.Scalar>, _ last: Unit.Mask)
  /// c ← α·self
  func overwrite(_ c: UnsafeMutablePointer<Unit.Scalar>, _ alpha: Unit.Vector, _ last: Unit.Mask)
  /// c ← β·c + α·self
  func update(
    _ c: UnsafeMutablePointer<Unit.Scalar>, _ alpha: Unit.Vector, _ beta: Unit.Vector, _ last: Unit.Mask)
}

/// One full vector.
@frozen
public struct Whole<Unit: VectorUnit>: Strip {
  public var v: Unit.Vector

  @_alwaysEmitIntoClient @inline(__always)
  public static var vectors: Int { 1 }

  @_alwaysEmitIntoClient @inline(__always)
  public init() { v = Unit.zero }

  @_alwaysEmitIntoClient @inline(__always)
  public init(loading p: UnsafePointer<Unit.Scalar>, _ last: Unit.Mask) { v = Unit.load(p) }

  @_alwaysEmitIntoClient @inline(__always)
  public mutating func multiplyAdd(_ a: Unit.Vector, _ b: Self) { v = Unit.multiplyAdd(a, b.v, v) }

  @_alwaysEmitIntoClient @inline(__always)
  public mutating func multiply(by a: Unit.Vector) { v = Unit.multiply(v, a) }

  @_alwaysEmitIntoClient @inline(__always)
  public mutating func divide(by a: Unit.Vector) { v = Unit.divide(v, a) }

  @_alwaysEmitIntoClient @inline(__always)
  public func store(to c: UnsafeMutablePointer<Unit.Scalar>, _ last: Unit.Mask) { Unit.store(v, to: c) }

  @_alwaysEmitIntoClient @inline(__always)
  public func overwrite(_ c: UnsafeMutablePointer<Unit.Scalar>, _ alpha: Unit.Vector, _ last: Unit.Mask) {
    Unit.store(Unit.multiply(alpha, v), to: c)
  }

  @_alwaysEmitIntoClient @inline(__always)
  public func update(
    _ c: UnsafeMutablePointer<Unit.Scalar>, _ alpha: Unit.Vector, _ beta: Unit.Vector, _ last: Unit.Mask
  ) {
    Unit.store(Unit.multiplyAdd(alpha, v, Unit.multiply(beta, Unit.load(c))), to: c)
  }
}

/// One vector of which only the leading lanes exist in memory.
@frozen
public struct Part<Unit: VectorUnit>: Strip {
  public var v: Unit.Vector

  @_alwaysEmitIntoClient @inline(__always)
  public init(_ v: Unit.Vector) { self.v = v }

  @_alwaysEmitIntoClient @inline(__always)
  public static var vectors: Int { 1 }

  @_alwaysEmitIntoClient @inline(__always)
  public init() { v = Unit.zero }

  @_alwaysEmitIntoClient @inline(__always)
  public init(loading p: UnsafePointer<Unit.Scalar>, _ last: Unit.Mask) { v = Unit.load(p, last) }

  @_alwaysEmitIntoClient @inline(__always)
  public mutating func multiplyAdd(_ a: Unit.Vector, _ b: Self) { v = Unit.multiplyAdd(a, b.v, v) }

  @_alwaysEmitIntoClient @inline(__always)
  public mutating func multiply(by a: Unit.Vector) { v = Unit.multiply(v, a) }

  @_alwaysEmitIntoClient @inline(__always)
  public mutating func divide(by a: Unit.Vector) { v = Unit.divide(v, a) }

  @_alwaysEmitIntoClient @inline(__always)
  public func store(to c: UnsafeMutablePointer<Unit.Scalar>, _ last: Unit.Mask) { Unit.store(v, to: c, last) }

  @_alwaysEmitIntoClient @inline(__always)
  public func overwrite(_ c: UnsafeMutablePointer<Unit.Scalar>, _ alpha: Unit.Vector, _ last: Unit.Mask) {
    Unit.store(Unit.multiply(alpha, v), to: c, last)
  }

  @_alwaysEmitIntoClient @inline(__always)
  public func update(
    _ c: UnsafeMutablePointer<Unit.Scalar>, _ alpha: Unit.Vector, _ beta: Unit.Vector, _ last: Unit.Mask
  ) {
    Unit.store(Unit.multiplyAdd(alpha, v, Unit.multiply(beta, Unit.load(c, last))), to: c, last)
  }
}

/// Two strips side by side; only the right one may be cut off.
@frozen
public struct Beside<Left: Strip, Right: Strip>: Strip where Left.Unit == Right.Unit {
  public typealias Unit = Left.Unit
  public var left: Left
  public var right: Right

  @_alwaysEmitIntoClient @inline(__always)
  public static var vectors: Int { Left.vectors &+ Right.vectors }

  @_alwaysEmitIntoClient @inline(__always)
  public static var rightOffset: Int { Left.vectors &* Unit.lanes }

  @_alwaysEmitIntoClient @inline(__always)
  public init() {
    left = Left()
    right = Right()
  }

  @_alwaysEmitIntoClient @inline(__always)
  public init(loading p: UnsafePointer<Unit.Scalar>, _ last: Unit.Mask) {
    left = Left(loading: p, last)
    right = Right(loading: p + Self.rightOffset, last)
  }

  @_alwaysEmitIntoClient @inline(__always)
  public mutating func multiplyAdd(_ a: Unit.Vector, _ b: Self) {
    left.multiplyAdd(a, b.left)
    right.multiplyAdd(a, b.right)
  }

  @_alwaysEmitIntoClient @inline(__always)
  public mutating func multiply(by a: Unit.Vector) {
    left.multiply(by: a)
    right.multiply(by: a)
  }

  @_alwaysEmitIntoClient @inline(__always)
  public mutating func divide(by a: Unit.Vector) {
    left.divide(by: a)
    right.divide(by: a)
  }

  @_alwaysEmitIntoClient @inline(__always)
  public func store(to c: UnsafeMutablePointer<Unit.Scalar>, _ last: Unit.Mask) {
    left.store(to: c, last)
    right.store(to: c + Self.rightOffset, last)
  }

  @_alwaysEmitIntoClient @inline(__always)
  public func overwrite(_ c: UnsafeMutablePointer<Unit.Scalar>, _ alpha: Unit.Vector, _ last: Unit.Mask) {
    left.overwrite(c, alpha, last)
    right.overwrite(c + Self.rightOffset, alpha, last)
  }

  @_alwaysEmitIntoClient @inline(__always)
  public func update(
    _ c: UnsafeMutablePointer<Unit.Scalar>, _ alpha: Unit.Vector, _ beta: Unit.Vector, _ last: Unit.Mask
  ) {
    left.update(c, alpha, beta, last)
    right.update(c + Self.rightOffset, alpha, beta, last)
  }
}

public typealias Whole2<U: VectorUnit> = Beside<Whole<U>, Whole<U>>
public typealias Whole4<U: VectorUnit> = Beside<Whole2<U>, Whole2<U>>
public typealias Whole8<U: VectorUnit> = Beside<Whole4<U>, Whole4<U>>
public typealias Part2<U: VectorUnit> = Beside<Whole<U>, Part<U>>
public typealias Part3<U: VectorUnit> = Beside<Whole2<U>, Part<U>>
