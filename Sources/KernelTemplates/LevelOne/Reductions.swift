// Sums over vectors: dot, asum, sum of squares.
//
// The elements are dealt out to 256 bytes of running sums, element i to lane i mod L with L = 64 Float or 32 Double,
// each lane a chain in order; then the lanes are folded in halves. So the bits depend on the elements alone: neither
// on the stride nor on the width of the machine's vectors. Error: about (n/L + log₂ L)·u · Σ|xᵢ·yᵢ|.

/// 256 bytes of running sums, composed from vectors like ``Strip``.
public protocol RunningSums {
  associatedtype Unit: VectorUnit
  static var count: Int { get }
  init()
  /// `count` adjacent elements, the missing ones zero.
  init(_ p: UnsafePointer<Unit.Scalar>, count: Int)
  /// self ← self + a·b
  mutating func multiplyAdd(_ a: Self, _ b: Self)
  /// The sum, lane by lane.
  static func + (a: Self, b: Self) -> Self
  /// The magnitudes, lane by lane.
  var magnitudes: Self { get }
  /// All lanes, folded in halves.
  var total: Unit.Scalar { get }
}

/// One vector of sums.
@frozen
public struct Lanes<Unit: VectorUnit>: RunningSums
where Unit.Vector: SIMD, Unit.Vector.Scalar == Unit.Scalar, Unit.Scalar: BinaryFloatingPoint & SIMDScalar {
  public var v: Unit.Vector

  @_alwaysEmitIntoClient @inline(__always)
  public static var count: Int { Unit.lanes }

  @_alwaysEmitIntoClient @inline(__always)
  public init() { v = Unit.zero }

  @_alwaysEmitIntoClient @inline(__always)
  init(_ v: Unit.Vector) { self.v = v }

  @_alwaysEmitIntoClient @inline(__always)
  public init(_ p: UnsafePointer<Unit.Scalar>, count: Int) {
    v = count >= Unit.lanes ? Unit.load(p) : Unit.load(p, Unit.mask(first: max(0, count)))
  }

  @_alwaysEmitIntoClient @inline(__always)
  public mutating func multiplyAdd(_ a: Self, _ b: Self) { v = Unit.multiplyAdd(a.v, b.v, v) }

  @_alwaysEmitIntoClient @inline(__always)
  public static func + (a: Self, b: Self) -> Self { Self(a.v + b.v) }

  @_alwaysEmitIntoClient @inline(__always)
  public var magnitudes: Self { Self(Unit.select(-v, v, where: Unit.zero, exceeds: v)) }

  @_alwaysEmitIntoClient @inline(__always)
  public var total: Unit.Scalar { Unit.fold(v) }
}

/// Twice as many sums.
@frozen
public struct Doubled<Half: RunningSums>: RunningSums {
  public typealias Unit = Half.Unit
  public var low: Half
  public var high: Half

  @_alwaysEmitIntoClient @inline(__always)
  public static var count: Int { 2 &* Half.count }

  @_alwaysEmitIntoClient @inline(__always)
  public init() {
    low = Half()
    high = Half()
  }

  @_alwaysEmitIntoClient @inline(__always)
  init(_ low: Half, _ high: Half) {
    self.low = low
    self.high = high
  }

  @_alwaysEmitIntoClient @inline(__always)
  public init(_ p: UnsafePointer<Unit.Scalar>, count: Int) {
    low = Half(p, count: count)
    // Past the end nothing is read, but the address must not leave the array either.
    high = count > Half.count ? Half(p + Half.count, count: count &- Half.count) : Half()
  }

  @_alwaysEmitIntoClient @inline(__always)
  public mutating func multiplyAdd(_ a: Self, _ b: Self) {
    low.multiplyAdd(a.low, b.low)
    high.multiplyAdd(a.high, b.high)
  }

  @_alwaysEmitIntoClient @inline(__always)
  public static func + (a: Self, b: Self) -> Self { Self(a.low + b.low, a.high + b.high) }

  @_alwaysEmitIntoClient @inline(__always)
  public var magnitudes: Self { Self(low.magnitudes, high.magnitudes) }

  @_alwaysEmitIntoClient @inline(__always)
  public var total: Unit.Scalar { (low + high).total }
}

/// What is summed.
@frozen
public enum Summand { case products, magnitudes }

extension VectorUnit where Vector: SIMD, Vector.Scalar == Scalar, Scalar: BinaryFloatingPoint & SIMDScalar {
  /// Σ xᵢ·yᵢ, or Σ |xᵢ| (then y is x).
  @_alwaysEmitIntoClient
  public static func sum(
    _ what: Summand, _ x: VectorPointer<Scalar>, _ y: VectorPointer<Scalar>
  ) -> Scalar {
    switch MemoryLayout<Vector>.size {
    case 64: return sum(Doubled<Doubled<Lanes<Self>>>.self, what, x, y)
    case 32: return sum(Doubled<Doubled<Doubled<Lanes<Self>>>>.self, what, x, y)
    default: return sum(Doubled<Doubled<Doubled<Doubled<Lanes<Self>>>>>.self, what, x, y)
    }
  }

  @_alwaysEmitIntoClient @inline(__always)
  static func sum<R: RunningSums>(
    _ sums: R.Type, _ what: Summand, _ x: VectorPointer<Scalar>, _ y: VectorPointer<Scalar>
  ) -> Scalar where R.Unit == Self {
    if x.stride != 1 || what == .products && y.stride != 1 { return sumStrided(sums, what, x, y) }
    return what == .products
      ? sum(sums, .products, x.base, y.base, count: x.count)
      : sum(sums, .magnitudes, x.base, x.base, count: x.count)
  }

  @_alwaysEmitIntoClient @inline(__always)
  static func sum<R: RunningSums>(
    _: R.Type, _ what: Summand, _ x: UnsafePointer<Scalar>, _ y: UnsafePointer<Scalar>, count: Int
  ) -> Scalar where R.Unit == Self {
    var sums = R()
    var i = 0
    // A constant count lets the compiler drop the masks.
    while i &+ R.count <= count {
      add(what, x + i, y + i, count: R.count, to: &sums)
      i &+= R.count
    }
    if i < count { add(what, x + i, y + i, count: count &- i, to: &sums) }
    return sums.total
  }

  /// Adds the terms of at most as many elements as there are sums.
  @_alwaysEmitIntoClient @inline(__always)
  static func add<R: RunningSums>(
    _ what: Summand, _ x: UnsafePointer<Scalar>, _ y: UnsafePointer<Scalar>, count: Int, to sums: inout R
  ) where R.Unit == Self {
    let xs = R(x, count: count)
    switch what {
    case .products: sums.multiplyAdd(xs, R(y, count: count))
    case .magnitudes: sums = sums + xs.magnitudes
    }
  }

  /// As many elements as there are sums are collected, then added.
  @_alwaysEmitIntoClient @inline(never)
  static func sumStrided<R: RunningSums>(
    _: R.Type, _ what: Summand, _ x: VectorPointer<Scalar>, _ y: VectorPointer<Scalar>
  ) -> Scalar where R.Unit == Self {
    var sums = R()
    withUnsafeTemporaryAllocation(of: Scalar.self, capacity: 2 &* R.count) { room in
      guard let xs = room.baseAddress else { return }
      let ys = xs + R.count
      var i = 0
      while i < x.count {
        let count = min(R.count, x.count &- i)
        for j in 0..<count {
          xs[j] = x.base[(i &+ j) &* x.stride]
          ys[j] = y.base[(i &+ j) &* y.stride]
        }
        add(what, UnsafePointer(xs), UnsafePointer(ys), count: count, to: &sums)
        i &+= R.count
      }
    }
    return sums.total
  }
}
