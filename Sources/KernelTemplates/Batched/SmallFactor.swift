// The factors A = L·D·Lᵀ of small symmetric matrices, L unit lower triangular, D diagonal: one matrix in each lane. Rows
// and factors are composed from types, one number after the other, and live in registers.
//
// An explicit A⁻¹ in place of the factors would cost as much and lose half the digits of nearly singular blocks.

/// b vectors.
public protocol SmallRow {
  associatedtype Unit: VectorUnit
  static var count: Int { get }

  /// Vectors `stride` elements apart.
  init(loading p: UnsafePointer<Unit.Scalar>, _ stride: Int)
  func store(to p: UnsafeMutablePointer<Unit.Scalar>, _ stride: Int)
  var negated: Self { get }
  /// self · factor
  func multiplied(by factor: Unit.Vector) -> Self
  /// x + Σ self_t · c_t, with the vectors c adjacent in memory.
  func adding(_ c: UnsafePointer<Unit.Scalar>, to x: Unit.Vector) -> Unit.Vector
  /// x + Σ self_t · other_t
  func adding(_ other: Self, to x: Unit.Vector) -> Unit.Vector
  /// self + factor · other
  func adding(_ factor: Unit.Vector, times other: Self) -> Self
}

/// One number.
@frozen
public struct OneNumber<Unit: VectorUnit>: SmallRow {
  public var v: Unit.Vector

  @_alwaysEmitIntoClient @inline(__always)
  public static var count: Int { 1 }

  @_alwaysEmitIntoClient @inline(__always)
  init(_ v: Unit.Vector) { self.v = v }

  @_alwaysEmitIntoClient @inline(__always)
  public init(loading p: UnsafePointer<Unit.Scalar>, _ stride: Int) { v = Unit.load(p) }

  @_alwaysEmitIntoClient @inline(__always)
  public func store(to p: UnsafeMutablePointer<Unit.Scalar>, _ stride: Int) { Unit.store(v, to: p) }

  @_alwaysEmitIntoClient @inline(__always)
  public var negated: Self { OneNumber(Unit.negate(v)) }

  @_alwaysEmitIntoClient @inline(__always)
  public func multiplied(by factor: Unit.Vector) -> Self { OneNumber(Unit.multiply(v, factor)) }

  @_alwaysEmitIntoClient @inline(__always)
  public func adding(_ c: UnsafePointer<Unit.Scalar>, to x: Unit.Vector) -> Unit.Vector {
    Unit.multiplyAdd(v, Unit.load(c), x)
  }

  @_alwaysEmitIntoClient @inline(__always)
  public func adding(_ other: Self, to x: Unit.Vector) -> Unit.Vector { Unit.multiplyAdd(v, other.v, x) }

  @_alwaysEmitIntoClient @inline(__always)
  public func adding(_ factor: Unit.Vector, times other: Self) -> Self {
    OneNumber(Unit.multiplyAdd(factor, other.v, v))
  }
}

/// A row with one more number at its end.
@frozen
public struct OneMore<Head: SmallRow>: SmallRow {
  public typealias Unit = Head.Unit
  public var head: Head
  public var last: Unit.Vector

  @_alwaysEmitIntoClient @inline(__always)
  public static var count: Int { Head.count &+ 1 }

  @_alwaysEmitIntoClient @inline(__always)
  init(_ head: Head, _ last: Unit.Vector) {
    self.head = head
    self.last = last
  }

  @_alwaysEmitIntoClient @inline(__always)
  public init(loading p: UnsafePointer<Unit.Scalar>, _ stride: Int) {
    head = Head(loading: p, stride)
    last = Unit.load(p + Head.count &* stride)
  }

  @_alwaysEmitIntoClient @inline(__always)
  public func store(to p: UnsafeMutablePointer<Unit.Scalar>, _ stride: Int) {
    head.store(to: p, stride)
    Unit.store(last, to: p + Head.count &* stride)
  }

  @_alwaysEmitIntoClient @inline(__always)
  public var negated: Self { OneMore(head.negated, Unit.negate(last)) }

  @_alwaysEmitIntoClient @inline(__always)
  public func multiplied(by factor: Unit.Vector) -> Self {
    OneMore(head.multiplied(by: factor), Unit.multiply(last, factor))
  }

  @_alwaysEmitIntoClient @inline(__always)
  public func adding(_ c: UnsafePointer<Unit.Scalar>, to x: Unit.Vector) -> Unit.Vector {
    Unit.multiplyAdd(last, Unit.load(c + Head.count &* Unit.lanes), head.adding(c, to: x))
  }

  @_alwaysEmitIntoClient @inline(__always)
  public func adding(_ other: Self, to x: Unit.Vector) -> Unit.Vector {
    Unit.multiplyAdd(last, other.last, head.adding(other.head, to: x))
  }

  @_alwaysEmitIntoClient @inline(__always)
  public func adding(_ factor: Unit.Vector, times other: Self) -> Self {
    OneMore(head.adding(factor, times: other.head), Unit.multiplyAdd(factor, other.last, last))
  }
}

/// L and D⁻¹ of b × b matrices.
public protocol SmallFactor {
  associatedtype Unit: VectorUnit
  associatedtype Row: SmallRow where Row.Unit == Unit

  /// Factorizes the lower triangle at `p`; writes the pivots, the numbers of D.
  init(factoring p: UnsafePointer<Unit.Scalar>, _ rowStride: Int, pivots: UnsafeMutablePointer<Unit.Scalar>)
  /// v·L⁻ᵀ
  func forward(_ v: Row) -> Row
  /// v·D⁻¹
  func scaled(_ v: Row) -> Row
  /// v·L⁻¹
  func backward(_ v: Row) -> Row
  /// The factors with −D in place of D.
  var opposite: Self { get }
  /// Writes −L below its diagonal.
  func storeNegativeLower(to p: UnsafeMutablePointer<Unit.Scalar>, _ rowStride: Int)
  /// Writes the lower triangle of (L·D·Lᵀ)⁻¹; `scratch` has room for b vectors.
  func storeInverse(
    to p: UnsafeMutablePointer<Unit.Scalar>, _ rowStride: Int, _ scratch: UnsafeMutablePointer<Unit.Scalar>)
}

/// b = 1.
@frozen
public struct OnePivot<Unit: VectorUnit>: SmallFactor {
  public typealias Row = OneNumber<Unit>
  public var reciprocal: Unit.Vector

  @_alwaysEmitIntoClient @inline(__always)
  public init(
    factoring p: UnsafePointer<Unit.Scalar>, _ rowStride: Int, pivots: UnsafeMutablePointer<Unit.Scalar>
  ) {
    let pivot = Unit.load(p)
    Unit.store(pivot, to: pivots)
    reciprocal = Unit.divide(Unit.one, pivot)
  }

  @_alwaysEmitIntoClient @inline(__always)
  public func forward(_ v: Row) -> Row { v }

  @_alwaysEmitIntoClient @inline(__always)
  public func scaled(_ v: Row) -> Row { OneNumber(Unit.multiply(v.v, reciprocal)) }

  @_alwaysEmitIntoClient @inline(__always)
  public func backward(_ v: Row) -> Row { v }

  @_alwaysEmitIntoClient @inline(__always)
  public var opposite: Self {
    var factor = self
    factor.reciprocal = Unit.negate(reciprocal)
    return factor
  }

  @_alwaysEmitIntoClient @inline(__always)
  public func storeNegativeLower(to p: UnsafeMutablePointer<Unit.Scalar>, _ rowStride: Int) {}

  @_alwaysEmitIntoClient @inline(__always)
  public func storeInverse(
    to p: UnsafeMutablePointer<Unit.Scalar>, _ rowStride: Int, _ scratch: UnsafeMutablePointer<Unit.Scalar>
  ) {
    Unit.store(reciprocal, to: p)
  }
}

/// One more pivot, with its row of L.
@frozen
public struct Bordered<Upper: SmallFactor>: SmallFactor {
  public typealias Unit = Upper.Unit
  public typealias Row = OneMore<Upper.Row>
  public var upper: Upper
  public var negativeRow: Upper.Row
  public var reciprocal: Unit.Vector

  @_alwaysEmitIntoClient @inline(__always)
  public init(
    factoring p: UnsafePointer<Unit.Scalar>, _ rowStride: Int, pivots: UnsafeMutablePointer<Unit.Scalar>
  ) {
    upper = Upper(factoring: p, rowStride, pivots: pivots)
    let b = Upper.Row.count
    let row = p + b &* rowStride
    let g = upper.forward(Upper.Row(loading: row, Unit.lanes))
    negativeRow = upper.scaled(g).negated
    let pivot = negativeRow.adding(g, to: Unit.load(row + b &* Unit.lanes))
    Unit.store(pivot, to: pivots + b &* Unit.lanes)
    reciprocal = Unit.divide(Unit.one, pivot)
  }

  @_alwaysEmitIntoClient @inline(__always)
  public func forward(_ v: Row) -> Row {
    let head = upper.forward(v.head)
    return OneMore(head, negativeRow.adding(head, to: v.last))
  }

  @_alwaysEmitIntoClient @inline(__always)
  public func scaled(_ v: Row) -> Row { OneMore(upper.scaled(v.head), Unit.multiply(v.last, reciprocal)) }

  @_alwaysEmitIntoClient @inline(__always)
  public func backward(_ v: Row) -> Row {
    OneMore(upper.backward(v.head.adding(v.last, times: negativeRow)), v.last)
  }

  @_alwaysEmitIntoClient @inline(__always)
  public var opposite: Self {
    var factor = self
    factor.upper = upper.opposite
    factor.reciprocal = Unit.negate(reciprocal)
    return factor
  }

  @_alwaysEmitIntoClient @inline(__always)
  public func storeNegativeLower(to p: UnsafeMutablePointer<Unit.Scalar>, _ rowStride: Int) {
    upper.storeNegativeLower(to: p, rowStride)
    negativeRow.store(to: p + Upper.Row.count &* rowStride, Unit.lanes)
  }

  // With x = −l·L⁻¹ of the factor above and r = 1/d:  ( P + r·xᵀ·x   r·xᵀ )
  //                                                   (   r·x         r   )
  @_alwaysEmitIntoClient @inline(__always)
  public func storeInverse(
    to p: UnsafeMutablePointer<Unit.Scalar>, _ rowStride: Int, _ scratch: UnsafeMutablePointer<Unit.Scalar>
  ) {
    upper.storeInverse(to: p, rowStride, scratch)
    let (b, r) = (Upper.Row.count, reciprocal)
    upper.backward(negativeRow).store(to: scratch, Unit.lanes)
    for t in 0..<b {
      let scaled = Unit.multiply(r, Unit.load(UnsafePointer(scratch + t &* Unit.lanes)))
      for s in 0...t {
        let place = p + (t &* rowStride &+ s &* Unit.lanes)
        let x = Unit.load(UnsafePointer(scratch + s &* Unit.lanes))
        Unit.store(Unit.multiplyAdd(scaled, x, Unit.load(UnsafePointer(place))), to: place)
      }
      Unit.store(scaled, to: p + (b &* rowStride &+ t &* Unit.lanes))
    }
    Unit.store(r, to: p + b &* (rowStride &+ Unit.lanes))
  }
}

public typealias TwoPivots<U: VectorUnit> = Bordered<OnePivot<U>>
public typealias FourPivots<U: VectorUnit> = Bordered<Bordered<TwoPivots<U>>>
