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

  /// Row i from `p + i * stride`.
  init(loading p: UnsafePointer<Unit.Scalar>, _ stride: Int)
  /// The masked lanes of the rows; rows beyond `last` repeat it, so that nothing else is read.
  init(loading p: UnsafePointer<Unit.Scalar>, _ stride: Int, last: Int, _ mask: Unit.Mask)
  /// For every row: the even blocks of `width` lanes of self and other in turn, and the odd ones.
  func exchanging(_ other: Self, width: Int) -> (even: Self, odd: Self)
  /// Every square of `rows` × `rows` elements is transposed where it stands.
  var squaresTransposed: Self { get }
  /// Writes the first `count` rows.
  func store(to p: UnsafeMutablePointer<Unit.Scalar>, _ stride: Int, count: Int)
  /// sums ← sums + Σ xᵢ·(row i) over the first `count` rows, in their order.
  func add(to sums: inout Unit.Vector, times x: UnsafePointer<Unit.Scalar>, count: Int)
  /// Transposes at most `rows` rows, in squares. Writes whole vectors: lanes beyond the given rows hold anything.
  static func transpose(_ square: SquareCall<Unit.Scalar>)
}

/// One vector.
@frozen
public struct OneRow<Unit: VectorUnit>: Stack {
  public var v: Unit.Vector

  @_alwaysEmitIntoClient @inline(__always)
  public static var rows: Int { 1 }

  @_alwaysEmitIntoClient @inline(__always)
  init(_ v: Unit.Vector) { self.v = v }

  @_alwaysEmitIntoClient @inline(__always)
  public init(loading p: UnsafePointer<Unit.Scalar>, _ stride: Int) { v = Unit.load(p) }

  @_alwaysEmitIntoClient @inline(__always)
  public init(loading p: UnsafePointer<Unit.Scalar>, _ stride: Int, last: Int, _ mask: Unit.Mask) {
    v = Unit.load(p, mask)
  }

  @_alwaysEmitIntoClient @inline(__always)
  public func exchanging(_ other: Self, width: Int) -> (even: Self, odd: Self) {
    (
      OneRow(Unit.blocks(of: width, from: 0, v, other.v)),
      OneRow(Unit.blocks(of: width, from: 1, v, other.v))
    )
  }

  @_alwaysEmitIntoClient @inline(__always)
  public var squaresTransposed: Self { self }

  @_alwaysEmitIntoClient @inline(__always)
  public func store(to p: UnsafeMutablePointer<Unit.Scalar>, _ stride: Int, count: Int) {
    if count > 0 { Unit.store(v, to: p) }
  }

  @_alwaysEmitIntoClient @inline(__always)
  public func add(to sums: inout Unit.Vector, times x: UnsafePointer<Unit.Scalar>, count: Int) {
    if count > 0 { sums = Unit.multiplyAdd(Unit.broadcast(x.pointee), v, sums) }
  }

  @_alwaysEmitIntoClient @inline(__always)
  public static func transpose(_ square: SquareCall<Unit.Scalar>) {
    for i in 0..<square.columns { square.target[i &* square.targetStride] = square.source[i] }
  }
}

/// Twice as many rows.
@frozen
public struct TwoStacks<Half: Stack>: Stack {
  public typealias Unit = Half.Unit
  public var top: Half
  public var bottom: Half

  @_alwaysEmitIntoClient @inline(__always)
  public static var rows: Int { 2 &* Half.rows }

  @_alwaysEmitIntoClient @inline(__always)
  init(_ top: Half, _ bottom: Half) {
    self.top = top
    self.bottom = bottom
  }

  @_alwaysEmitIntoClient @inline(__always)
  public init(loading p: UnsafePointer<Unit.Scalar>, _ stride: Int) {
    top = Half(loading: p, stride)
    bottom = Half(loading: p + Half.rows &* stride, stride)
  }

  @_alwaysEmitIntoClient @inline(__always)
  public init(loading p: UnsafePointer<Unit.Scalar>, _ stride: Int, last: Int, _ mask: Unit.Mask) {
    top = Half(loading: p, stride, last: last, mask)
    bottom = Half(
      loading: p + min(Half.rows, last) &* stride, stride, last: max(0, last &- Half.rows), mask)
  }

  @_alwaysEmitIntoClient @inline(__always)
  public func exchanging(_ other: Self, width: Int) -> (even: Self, odd: Self) {
    let (upper, lower) = (
      top.exchanging(other.top, width: width), bottom.exchanging(other.bottom, width: width)
    )
    return (TwoStacks(upper.even, lower.even), TwoStacks(upper.odd, lower.odd))
  }

  @_alwaysEmitIntoClient @inline(__always)
  public var squaresTransposed: Self {
    let exchanged = top.exchanging(bottom, width: Half.rows)
    return TwoStacks(exchanged.even.squaresTransposed, exchanged.odd.squaresTransposed)
  }

  @_alwaysEmitIntoClient @inline(__always)
  public func store(to p: UnsafeMutablePointer<Unit.Scalar>, _ stride: Int, count: Int) {
    top.store(to: p, stride, count: count)
    bottom.store(to: p + Half.rows &* stride, stride, count: count &- Half.rows)
  }

  @_alwaysEmitIntoClient @inline(__always)
  public func add(to sums: inout Unit.Vector, times x: UnsafePointer<Unit.Scalar>, count: Int) {
    top.add(to: &sums, times: x, count: count)
    bottom.add(to: &sums, times: x + Half.rows, count: count &- Half.rows)
  }

  @_alwaysEmitIntoClient @inline(__always)
  public static func transpose(_ square: SquareCall<Unit.Scalar>) {
    if square.rows <= Half.rows { transposeFew(Half.self, square) } else { transposeSquares(square) }
  }
}

/// At most L rows, to be written as columns.
@frozen
public struct SquareCall<Scalar> {
  @usableFromInline var rows: Int
  @usableFromInline var columns: Int
  @usableFromInline var source: UnsafePointer<Scalar>
  @usableFromInline var rowStride: Int
  @usableFromInline var target: UnsafeMutablePointer<Scalar>
  @usableFromInline var targetStride: Int
  /// The rows are long, and are prefetched some lines ahead.
  @usableFromInline var isLong: Bool

  @_alwaysEmitIntoClient @inline(__always)
  init(
    rows: Int, columns: Int, source: UnsafePointer<Scalar>, rowStride: Int,
    target: UnsafeMutablePointer<Scalar>, targetStride: Int, isLong: Bool = false
  ) {
    self.rows = rows
    self.columns = columns
    self.source = source
    self.rowStride = rowStride
    self.target = target
    self.targetStride = targetStride
    self.isLong = isLong
  }
}

extension Stack {
  /// Squares of as many columns as there are rows. A vector may hold several, of which the first is transposed.
  @_alwaysEmitIntoClient @inline(__always)
  static func transposeSquares(_ square: SquareCall<Unit.Scalar>) {
    var i = 0
    if square.rows == rows {
      while i &+ Unit.lanes <= square.columns {
        if square.isLong { prefetchRows(square.source + i, square.rowStride, count: rows) }
        Self(loading: square.source + i, square.rowStride).squaresTransposed
          .store(to: square.target + i &* square.targetStride, square.targetStride, count: rows)
        i &+= rows
      }
    }
    while i < square.columns {
      let left = square.columns &- i
      if square.isLong { prefetchRows(square.source + i, square.rowStride, count: min(rows, square.rows)) }
      Self(
        loading: square.source + i, square.rowStride, last: square.rows &- 1,
        Unit.mask(first: min(left, Unit.lanes))
      ).squaresTransposed
        .store(to: square.target + i &* square.targetStride, square.targetStride, count: min(left, rows))
      i &+= rows
    }
  }
}

/// A smaller stack for few rows.
@_alwaysEmitIntoClient @inline(never)
func transposeFew<Few: Stack>(_ stack: Few.Type, _ square: SquareCall<Few.Unit.Scalar>) {
  Few.transpose(square)
}

public typealias Square2<U: VectorUnit> = TwoStacks<OneRow<U>>
public typealias Square4<U: VectorUnit> = TwoStacks<Square2<U>>
public typealias Square8<U: VectorUnit> = TwoStacks<Square4<U>>
public typealias Square16<U: VectorUnit> = TwoStacks<Square8<U>>

extension VectorUnit where Vector: SIMD, Vector.Scalar == Scalar, Scalar: BinaryFloatingPoint & SIMDScalar {
  /// Blocks of `width` lanes of x and y in turn: the even ones (`first` 0) or the odd ones (1).
  @_alwaysEmitIntoClient @inline(__always)
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
  @_alwaysEmitIntoClient @inline(__always)
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
  /// Lanes between `count` and L of the target are overwritten with anything. Rows that are long are prefetched some lines
  /// ahead.
  @_alwaysEmitIntoClient @inline(never)
  public static func transposeRows(
    _ source: UnsafePointer<Scalar>, count: Int, rowStride: Int, depth: Int,
    to target: UnsafeMutablePointer<Scalar>, stride: Int, isLong: Bool = false
  ) {
    transposeSquare(
      SquareCall(
        rows: count, columns: depth, source: source, rowStride: rowStride, target: target,
        targetStride: stride, isLong: isLong))
  }
}
