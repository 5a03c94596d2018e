// Blocks of b × b numbers and rows of b numbers, each number a vector: one matrix in each lane. Like tiles, they are
// composed from types and live in registers. b is a power of two, and a block is four blocks of half the size.

/// b × b vectors.
public protocol SmallBlock {
  associatedtype Unit: VectorUnit
  associatedtype Row: SmallRow where Row.Unit == Unit
  static var order: Int { get }

  init(loading p: UnsafePointer<Unit.Scalar>, _ rowStride: Int)
  var transposed: Self { get }
  var negated: Self { get }
  /// x·y + sum
  static func multiplyAdd(_ x: Self, _ y: Self, _ sum: Self) -> Self
  static func multiply(_ x: Self, _ y: Self) -> Self
  /// The inverse of a symmetric block, of which the part above the diagonal blocks is not used; writes the pivots.
  func symmetricInverse(pivots: UnsafeMutablePointer<Unit.Scalar>) -> Self
  /// self·v, v as a column.
  func times(_ v: Row) -> Row
  /// Writes the lower triangle.
  func storeLower(to p: UnsafeMutablePointer<Unit.Scalar>, _ rowStride: Int)
  func store(to p: UnsafeMutablePointer<Unit.Scalar>, _ rowStride: Int)
}

/// b vectors.
public protocol SmallRow {
  associatedtype Unit: VectorUnit
  static var count: Int { get }

  /// Vectors `stride` elements apart.
  init(loading p: UnsafePointer<Unit.Scalar>, _ stride: Int)
  func store(to p: UnsafeMutablePointer<Unit.Scalar>, _ stride: Int)
  var negated: Self { get }
  static func add(_ x: Self, _ y: Self) -> Self
  /// x + Σ self_t · c_t, with the vectors c adjacent in memory.
  func adding(_ c: UnsafePointer<Unit.Scalar>, to x: Unit.Vector) -> Unit.Vector
}

/// A single number.
@frozen
public struct Single<Unit: VectorUnit>: SmallBlock, SmallRow {
  public var v: Unit.Vector

  @inlinable @inline(__always)
  public static var order: Int { 1 }

  @inlinable @inline(__always)
  public static var count: Int { 1 }

  @inlinable @inline(__always)
  init(_ v: Unit.Vector) { self.v = v }

  @inlinable @inline(__always)
  public init(loading p: UnsafePointer<Unit.Scalar>, _ stride: Int) { v = Unit.load(p) }

  @inlinable @inline(__always)
  public func store(to p: UnsafeMutablePointer<Unit.Scalar>, _ stride: Int) { Unit.store(v, to: p) }

  @inlinable @inline(__always)
  public func storeLower(to p: UnsafeMutablePointer<Unit.Scalar>, _ rowStride: Int) { Unit.store(v, to: p) }

  @inlinable @inline(__always)
  public var transposed: Self { self }

  @inlinable @inline(__always)
  public var negated: Self { Single(Unit.negate(v)) }

  @inlinable @inline(__always)
  public static func add(_ x: Self, _ y: Self) -> Self { Single(Unit.multiplyAdd(Unit.one, x.v, y.v)) }

  @inlinable @inline(__always)
  public static func multiply(_ x: Self, _ y: Self) -> Self { Single(Unit.multiply(x.v, y.v)) }

  @inlinable @inline(__always)
  public static func multiplyAdd(_ x: Self, _ y: Self, _ sum: Self) -> Self {
    Single(Unit.multiplyAdd(x.v, y.v, sum.v))
  }

  @inlinable @inline(__always)
  public func times(_ v: Self) -> Self { Self.multiply(self, v) }

  @inlinable @inline(__always)
  public func adding(_ c: UnsafePointer<Unit.Scalar>, to x: Unit.Vector) -> Unit.Vector {
    Unit.multiplyAdd(v, Unit.load(c), x)
  }

  @inlinable @inline(__always)
  public func symmetricInverse(pivots: UnsafeMutablePointer<Unit.Scalar>) -> Self {
    Unit.store(v, to: pivots)
    return Single(Unit.divide(Unit.one, v))
  }
}

/// Two rows in one.
@frozen
public struct RowPair<Half: SmallRow>: SmallRow {
  public typealias Unit = Half.Unit
  public var left: Half
  public var right: Half

  @inlinable @inline(__always)
  public static var count: Int { 2 &* Half.count }

  @inlinable @inline(__always)
  init(_ left: Half, _ right: Half) {
    self.left = left
    self.right = right
  }

  @inlinable @inline(__always)
  public init(loading p: UnsafePointer<Unit.Scalar>, _ stride: Int) {
    left = Half(loading: p, stride)
    right = Half(loading: p + Half.count &* stride, stride)
  }

  @inlinable @inline(__always)
  public func store(to p: UnsafeMutablePointer<Unit.Scalar>, _ stride: Int) {
    left.store(to: p, stride)
    right.store(to: p + Half.count &* stride, stride)
  }

  @inlinable @inline(__always)
  public var negated: Self { RowPair(left.negated, right.negated) }

  @inlinable @inline(__always)
  public static func add(_ x: Self, _ y: Self) -> Self {
    RowPair(Half.add(x.left, y.left), Half.add(x.right, y.right))
  }

  @inlinable @inline(__always)
  public func adding(_ c: UnsafePointer<Unit.Scalar>, to x: Unit.Vector) -> Unit.Vector {
    right.adding(c + Half.count &* Unit.lanes, to: left.adding(c, to: x))
  }
}

/// Four blocks ( a b ; c d ) in one.
@frozen
public struct BlockOfFour<Half: SmallBlock>: SmallBlock {
  public typealias Unit = Half.Unit
  public typealias Row = RowPair<Half.Row>
  public var a: Half
  public var b: Half
  public var c: Half
  public var d: Half

  @inlinable @inline(__always)
  public static var order: Int { 2 &* Half.order }

  @inlinable @inline(__always)
  init(_ a: Half, _ b: Half, _ c: Half, _ d: Half) {
    self.a = a
    self.b = b
    self.c = c
    self.d = d
  }

  @inlinable @inline(__always)
  public init(loading p: UnsafePointer<Unit.Scalar>, _ rowStride: Int) {
    let (below, right) = (Half.order &* rowStride, Half.order &* Unit.lanes)
    a = Half(loading: p, rowStride)
    b = Half(loading: p + right, rowStride)
    c = Half(loading: p + below, rowStride)
    d = Half(loading: p + (below &+ right), rowStride)
  }

  @inlinable @inline(__always)
  public func store(to p: UnsafeMutablePointer<Unit.Scalar>, _ rowStride: Int) {
    b.store(to: p + Half.order &* Unit.lanes, rowStride)
    a.store(to: p, rowStride)
    c.store(to: p + Half.order &* rowStride, rowStride)
    d.store(to: p + (Half.order &* rowStride &+ Half.order &* Unit.lanes), rowStride)
  }

  @inlinable @inline(__always)
  public func storeLower(to p: UnsafeMutablePointer<Unit.Scalar>, _ rowStride: Int) {
    a.storeLower(to: p, rowStride)
    c.store(to: p + Half.order &* rowStride, rowStride)
    d.storeLower(to: p + (Half.order &* rowStride &+ Half.order &* Unit.lanes), rowStride)
  }

  @inlinable @inline(__always)
  public var transposed: Self { BlockOfFour(a.transposed, c.transposed, b.transposed, d.transposed) }

  @inlinable @inline(__always)
  public var negated: Self { BlockOfFour(a.negated, b.negated, c.negated, d.negated) }

  @inlinable @inline(__always)
  public static func multiply(_ x: Self, _ y: Self) -> Self {
    BlockOfFour(
      Half.multiplyAdd(x.b, y.c, Half.multiply(x.a, y.a)),
      Half.multiplyAdd(x.b, y.d, Half.multiply(x.a, y.b)),
      Half.multiplyAdd(x.d, y.c, Half.multiply(x.c, y.a)), Half.multiplyAdd(x.d, y.d, Half.multiply(x.c, y.b))
    )
  }

  @inlinable @inline(__always)
  public static func multiplyAdd(_ x: Self, _ y: Self, _ sum: Self) -> Self {
    BlockOfFour(
      Half.multiplyAdd(x.b, y.c, Half.multiplyAdd(x.a, y.a, sum.a)),
      Half.multiplyAdd(x.b, y.d, Half.multiplyAdd(x.a, y.b, sum.b)),
      Half.multiplyAdd(x.d, y.c, Half.multiplyAdd(x.c, y.a, sum.c)),
      Half.multiplyAdd(x.d, y.d, Half.multiplyAdd(x.c, y.b, sum.d)))
  }

  @inlinable @inline(__always)
  public func times(_ v: Row) -> Row {
    RowPair(
      Half.Row.add(a.times(v.left), b.times(v.right)), Half.Row.add(c.times(v.left), d.times(v.right)))
  }

  // With P = a⁻¹, W = c·P and S = d − W·cᵀ:  ( P + Wᵀ·S⁻¹·W   −Wᵀ·S⁻¹ )
  //                                           (   −S⁻¹·W          S⁻¹  )
  @inlinable @inline(__always)
  public func symmetricInverse(pivots: UnsafeMutablePointer<Unit.Scalar>) -> Self {
    let p = a.symmetricInverse(pivots: pivots)
    let w = Half.multiply(c, p)
    let s = Half.multiplyAdd(w.negated, c.transposed, d)
    let inverse = s.symmetricInverse(pivots: pivots + Half.order &* Unit.lanes)
    let corner = Half.multiply(inverse, w)
    return BlockOfFour(
      Half.multiplyAdd(w.transposed, corner, p), corner.negated.transposed, corner.negated, inverse)
  }
}
