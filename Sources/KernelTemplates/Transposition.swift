// The transposition of a square of L × L elements in registers, L the lanes of a vector.
//
//     ( A B )ᵀ   ( Aᵀ Cᵀ )     exchange B and C between the upper and the lower half of the rows,
//     ( C D )  = ( Bᵀ Dᵀ )     then transpose the quarters, in each half of the rows side by side
//
// That is L/2·log₂L pairs of shuffles of two vectors. Whole rows are loaded: from pieces, the compiler would build
// each vector by a chain of inserted elements.

/// Vectors stacked on each other: 1, 2, 4, … rows.
public protocol Stack {
  associatedtype Unit: VectorUnit
  static var rows: Int { get }

  /// Row i from `p + i * stride`; rows beyond `last` repeat it, so that nothing else is read.
  init(loading p: UnsafePointer<Unit.Scalar>, _ stride: Int, last: Int)
  /// The same, but only the masked lanes.
  init(loading p: UnsafePointer<Unit.Scalar>, _ stride: Int, last: Int, _ mask: Unit.Mask)
  /// For every row: the even blocks of `width` lanes of self and other in turn, and the odd ones.
  func exchanging(_ other: Self, width: Int) -> (even: Self, odd: Self)
  /// Every square of `rows` × `rows` elements is transposed where it stands.
  var squaresTransposed: Self { get }
  /// Writes the first `count` rows.
  func store(to p: UnsafeMutablePointer<Unit.Scalar>, _ stride: Int, count: Int)
}

/// One vector.
@frozen
public struct OneRow<Unit: VectorUnit>: Stack {
  public var v: Unit.Vector

  @inlinable @inline(__always)
  public static var rows: Int { 1 }

  @inlinable @inline(__always)
  init(_ v: Unit.Vector) { self.v = v }

  @inlinable @inline(__always)
  public init(loading p: UnsafePointer<Unit.Scalar>, _ stride: Int, last: Int) { v = Unit.load(p) }

  @inlinable @inline(__always)
  public init(loading p: UnsafePointer<Unit.Scalar>, _ stride: Int, last: Int, _ mask: Unit.Mask) {
    v = Unit.load(p, mask)
  }

  @inlinable @inline(__always)
  public func exchanging(_ other: Self, width: Int) -> (even: Self, odd: Self) {
    (
      OneRow(Unit.blocks(of: width, from: 0, v, other.v)),
      OneRow(Unit.blocks(of: width, from: 1, v, other.v))
    )
  }

  @inlinable @inline(__always)
  public var squaresTransposed: Self { self }

  @inlinable @inline(__always)
  public func store(to p: UnsafeMutablePointer<Unit.Scalar>, _ stride: Int, count: Int) {
    if count > 0 { Unit.store(v, to: p) }
  }
}

/// Twice as many rows.
@frozen
public struct TwoStacks<Half: Stack>: Stack {
  public typealias Unit = Half.Unit
  public var top: Half
  public var bottom: Half

  @inlinable @inline(__always)
  public static var rows: Int { 2 &* Half.rows }

  @inlinable @inline(__always)
  init(_ top: Half, _ bottom: Half) {
    self.top = top
    self.bottom = bottom
  }

  @inlinable @inline(__always)
  public init(loading p: UnsafePointer<Unit.Scalar>, _ stride: Int, last: Int) {
    top = Half(loading: p, stride, last: last)
    bottom = Half(
      loading: p + min(Half.rows, last) &* stride, stride, last: max(0, last &- Half.rows))
  }

  @inlinable @inline(__always)
  public init(loading p: UnsafePointer<Unit.Scalar>, _ stride: Int, last: Int, _ mask: Unit.Mask) {
    top = Half(loading: p, stride, last: last, mask)
    bottom = Half(
      loading: p + min(Half.rows, last) &* stride, stride, last: max(0, last &- Half.rows), mask)
  }

  @inlinable @inline(__always)
  public func exchanging(_ other: Self, width: Int) -> (even: Self, odd: Self) {
    let (upper, lower) = (
      top.exchanging(other.top, width: width), bottom.exchanging(other.bottom, width: width)
    )
    return (TwoStacks(upper.even, lower.even), TwoStacks(upper.odd, lower.odd))
  }

  @inlinable @inline(__always)
  public var squaresTransposed: Self {
    let exchanged = top.exchanging(bottom, width: Half.rows)
    return TwoStacks(exchanged.even.squaresTransposed, exchanged.odd.squaresTransposed)
  }

  @inlinable @inline(__always)
  public func store(to p: UnsafeMutablePointer<Unit.Scalar>, _ stride: Int, count: Int) {
    top.store(to: p, stride, count: count)
    bottom.store(to: p + Half.rows &* stride, stride, count: count &- Half.rows)
  }
}

/// At most L rows of at most L elements, to be written as columns.
@frozen
public struct SquareCall<Scalar> {
  @usableFromInline var rows: Int
  @usableFromInline var columns: Int
  @usableFromInline var source: UnsafePointer<Scalar>
  @usableFromInline var rowStride: Int
  @usableFromInline var target: UnsafeMutablePointer<Scalar>
  @usableFromInline var targetStride: Int

  @inlinable @inline(__always)
  init(
    rows: Int, columns: Int, source: UnsafePointer<Scalar>, rowStride: Int,
    target: UnsafeMutablePointer<Scalar>, targetStride: Int
  ) {
    self.rows = rows
    self.columns = columns
    self.source = source
    self.rowStride = rowStride
    self.target = target
    self.targetStride = targetStride
  }
}

extension Stack {
  /// Transposes a square of `rows` rows and lanes. Writes whole vectors: lanes beyond the given rows hold anything.
  @inlinable @inline(__always)
  public static func transpose(_ square: SquareCall<Unit.Scalar>) {
    let (last, columns) = (square.rows &- 1, square.columns)
    if columns == rows {
      Self(loading: square.source, square.rowStride, last: last).squaresTransposed
        .store(to: square.target, square.targetStride, count: columns)
    } else {
      Self(loading: square.source, square.rowStride, last: last, Unit.mask(first: columns)).squaresTransposed
        .store(to: square.target, square.targetStride, count: columns)
    }
  }
}

public typealias Square2<U: VectorUnit> = TwoStacks<OneRow<U>>
public typealias Square4<U: VectorUnit> = TwoStacks<Square2<U>>
public typealias Square8<U: VectorUnit> = TwoStacks<Square4<U>>
public typealias Square16<U: VectorUnit> = TwoStacks<Square8<U>>

extension VectorUnit where Vector: SIMD, Vector.Scalar == Scalar, Scalar: BinaryFloatingPoint & SIMDScalar {
  /// Blocks of `width` lanes of x and y in turn: the even ones (`first` 0) or the odd ones (1).
  @inlinable @inline(__always)
  public static func blocks(of width: Int, from first: Int, _ x: Vector, _ y: Vector) -> Vector {
    var result = x
    var base = 0
    while base < lanes {
      var lane = 0
      while lane < width {
        result[base &+ lane] = x[base &+ first &* width &+ lane]
        result[base &+ width &+ lane] = y[base &+ first &* width &+ lane]
        lane &+= 1
      }
      base &+= 2 &* width
    }
    return result
  }

  /// Where the lanes of ``blocks(of:from:_:_:)`` come from: 0 ..< L stands for x, L ..< 2L for y.
  @inlinable @inline(__always)
  public static func blockPlaces<Places: SIMD>(of width: Int, from first: Int, _ type: Places.Type) -> Places
  where Places.Scalar: FixedWidthInteger {
    var places = Places()
    var lane = 0
    while lane < lanes {
      let isFromX = lane / width & 1 == 0
      places[lane] = Places.Scalar(
        truncatingIfNeeded: isFromX ? lane &+ first &* width : lanes &+ lane &+ (first &- 1) &* width)
      lane &+= 1
    }
    return places
  }

  /// Copies `count` ≤ L rows of `depth` elements into columns: target[p · stride + row] = source[row · rowStride + p].
  ///
  /// Lanes between `count` and L of the target are overwritten with anything. If it `goesOn`, the next `count` rows are
  /// asked for meanwhile.
  @inlinable @inline(__always)
  public static func transposeRows(
    _ source: UnsafePointer<Scalar>, count: Int, rowStride: Int, depth: Int,
    to target: UnsafeMutablePointer<Scalar>, stride: Int, goesOn: Bool = false
  ) {
    var p = 0
    while p < depth {
      if goesOn {
        for l in 0..<lanes { prefetch(source + ((count &+ l) &* rowStride &+ p), into: .second) }
      }
      transposeSquare(
        SquareCall(
          rows: count, columns: min(lanes, depth &- p), source: source + p, rowStride: rowStride,
          target: target + p &* stride, targetStride: stride))
      p &+= lanes
    }
  }
}
