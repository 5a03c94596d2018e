// A register tile: rows of accumulators on top of each other. Like strips, tiles are composed from types; a tile of
// MR rows and two vectors is 2·MR accumulators that live in registers for the whole k loop.

/// How far apart the rows of A lie: the constant 1 in packed panels and transposed matrices, or any stride.
public protocol RowStep {
  /// The fewest rows of a tile that is compiled for this step, if the tallest one has `tallest`.
  static func fewestRows(tallest: Int) -> Int
  /// The offset of row `i` in elements.
  func times(_ i: Int) -> Int
}

/// Rows of A are adjacent.
@frozen
public struct UnitStep: RowStep {
  @_alwaysEmitIntoClient @inline(__always)
  public init() {}

  /// Only where rows are many does it matter that their addresses need no registers.
  @_alwaysEmitIntoClient @inline(__always)
  public static func fewestRows(tallest: Int) -> Int { tallest / 2 &+ 1 }

  @_alwaysEmitIntoClient @inline(__always)
  public func times(_ i: Int) -> Int { i }
}

/// Rows of A are `stride` elements apart.
///
/// Multiples of the stride are kept, because from the stride alone the compiler would add up the rows' addresses one
/// after the other, and in narrow tiles that chain takes longer than the multiply-adds.
@frozen
public struct AnyStep: RowStep {
  public var stride: Int
  @usableFromInline var threefold: Int
  @usableFromInline var fourfold: Int

  @_alwaysEmitIntoClient @inline(__always)
  public init(_ stride: Int) {
    self.stride = stride
    threefold = 3 &* stride
    fourfold = 4 &* stride
  }

  @_alwaysEmitIntoClient @inline(__always)
  public static func fewestRows(tallest: Int) -> Int { 1 }

  @_alwaysEmitIntoClient @inline(__always)
  public func times(_ i: Int) -> Int {
    i / 4 &* fourfold &+ (i % 4 == 3 ? threefold : i % 4 &* stride)
  }
}

/// The accumulators of a tile of C.
public protocol Tile {
  associatedtype S: Strip
  typealias Unit = S.Unit
  typealias Scalar = S.Unit.Scalar
  static var rows: Int { get }

  init()
  /// The tile of C.
  init(loading c: UnsafePointer<Scalar>, _ rowStride: Int, _ last: Unit.Mask)
  /// self ← self + a·b, for one column a of A and one row b of B.
  mutating func accumulate<R: RowStep>(_ a: UnsafePointer<Scalar>, _ step: R, _ b: S)
  /// C ← self
  func store(to c: UnsafeMutablePointer<Scalar>, _ rowStride: Int, _ last: Unit.Mask)
  /// C ← α·self
  func overwrite(
    _ c: UnsafeMutablePointer<Scalar>, _ rowStride: Int, _ alpha: Unit.Vector, _ last: Unit.Mask)
  /// C ← β·C + α·self
  func update(
    _ c: UnsafeMutablePointer<Scalar>, _ rowStride: Int, _ alpha: Unit.Vector, _ beta: Unit.Vector,
    _ last: Unit.Mask)
  /// Runs `call` on the tile of this family that has `rows` rows; `rows` is at most that of `Self`, and enough for the step.
  static func select<R: RowStep>(rows: Int, _ step: R, _ call: UnsafeMutablePointer<TileCall<Scalar>>)
}

/// A tile of one row.
@frozen
public struct Row<S: Strip>: Tile {
  public typealias Scalar = S.Unit.Scalar
  public var sum: S

  @_alwaysEmitIntoClient @inline(__always)
  public static var rows: Int { 1 }

  @_alwaysEmitIntoClient @inline(__always)
  public init() { sum = S() }

  @_alwaysEmitIntoClient @inline(__always)
  public init(loading c: UnsafePointer<Scalar>, _ rowStride: Int, _ last: S.Unit.Mask) {
    sum = S(loading: c, last)
  }

  @_alwaysEmitIntoClient @inline(__always)
  public mutating func accumulate<R: RowStep>(_ a: UnsafePointer<Scalar>, _ step: R, _ b: S) {
    sum.multiplyAdd(S.Unit.broadcast(a.pointee), b)
  }

  @_alwaysEmitIntoClient @inline(__always)
  public func store(to c: UnsafeMutablePointer<Scalar>, _ rowStride: Int, _ last: S.Unit.Mask) {
    sum.store(to: c, last)
  }

  @_alwaysEmitIntoClient @inline(__always)
  public func overwrite(
    _ c: UnsafeMutablePointer<Scalar>, _ rowStride: Int, _ alpha: S.Unit.Vector, _ last: S.Unit.Mask
  ) {
    sum.overwrite(c, alpha, last)
  }

  @_alwaysEmitIntoClient @inline(__always)
  public func update(
    _ c: UnsafeMutablePointer<Scalar>, _ rowStride: Int, _ alpha: S.Unit.Vector, _ beta: S.Unit.Vector,
    _ last: S.Unit.Mask
  ) {
    sum.update(c, alpha, beta, last)
  }

  @_alwaysEmitIntoClient @inline(__always)
  public static func select<R: RowStep>(rows: Int, _ step: R, _ call: UnsafeMutablePointer<TileCall<Scalar>>)
  {
    runKernel(OneWay<Self>.self, step, call)
  }
}

/// A tile with one more row at the bottom.
@frozen
public struct Taller<Upper: Tile>: Tile {
  public typealias S = Upper.S
  public typealias Scalar = Upper.S.Unit.Scalar
  public var upper: Upper
  public var bottom: Row<Upper.S>

  @_alwaysEmitIntoClient @inline(__always)
  public static var rows: Int { Upper.rows &+ 1 }

  @_alwaysEmitIntoClient @inline(__always)
  public init() {
    upper = Upper()
    bottom = Row()
  }

  @_alwaysEmitIntoClient @inline(__always)
  public init(loading c: UnsafePointer<Scalar>, _ rowStride: Int, _ last: S.Unit.Mask) {
    upper = Upper(loading: c, rowStride, last)
    bottom = Row(loading: c + Upper.rows &* rowStride, rowStride, last)
  }

  @_alwaysEmitIntoClient @inline(__always)
  public mutating func accumulate<R: RowStep>(_ a: UnsafePointer<Scalar>, _ step: R, _ b: S) {
    upper.accumulate(a, step, b)
    bottom.accumulate(a + step.times(Upper.rows), step, b)
  }

  @_alwaysEmitIntoClient @inline(__always)
  public func store(to c: UnsafeMutablePointer<Scalar>, _ rowStride: Int, _ last: S.Unit.Mask) {
    upper.store(to: c, rowStride, last)
    bottom.store(to: c + Upper.rows &* rowStride, rowStride, last)
  }

  @_alwaysEmitIntoClient @inline(__always)
  public func overwrite(
    _ c: UnsafeMutablePointer<Scalar>, _ rowStride: Int, _ alpha: S.Unit.Vector, _ last: S.Unit.Mask
  ) {
    upper.overwrite(c, rowStride, alpha, last)
    bottom.overwrite(c + Upper.rows &* rowStride, rowStride, alpha, last)
  }

  @_alwaysEmitIntoClient @inline(__always)
  public func update(
    _ c: UnsafeMutablePointer<Scalar>, _ rowStride: Int, _ alpha: S.Unit.Vector, _ beta: S.Unit.Vector,
    _ last: S.Unit.Mask
  ) {
    upper.update(c, rowStride, alpha, beta, last)
    bottom.update(c + Upper.rows &* rowStride, rowStride, alpha, beta, last)
  }

  @_alwaysEmitIntoClient @inline(__always)
  public static func select<R: RowStep>(rows: Int, _ step: R, _ call: UnsafeMutablePointer<TileCall<Scalar>>)
  {
    if Self.rows <= R.fewestRows(tallest: S.Unit.tileRows) || rows == Self.rows {
      runKernel(OneWay<Self>.self, step, call)
    } else {
      Upper.select(rows: rows, step, call)
    }
  }
}

public typealias Rows2<S: Strip> = Taller<Row<S>>
public typealias Rows3<S: Strip> = Taller<Rows2<S>>
public typealias Rows4<S: Strip> = Taller<Rows3<S>>
public typealias Rows6<S: Strip> = Taller<Taller<Rows4<S>>>
public typealias Rows7<S: Strip> = Taller<Rows6<S>>
public typealias Rows8<S: Strip> = Taller<Rows7<S>>
public typealias Rows14<S: Strip> = Taller<Taller<Taller<Taller<Taller<Taller<Rows8<S>>>>>>>
