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
  /// `count` elements `stride` apart, the missing ones zero.
  init(_ p: UnsafePointer<Unit.Scalar>, stride: Int, count: Int)
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
  public init(_ p: UnsafePointer<Unit.Scalar>, stride: Int, count: Int) {
    if stride == 1 {
      v = count >= Unit.lanes ? Unit.load(p) : Unit.load(p, Unit.mask(first: max(0, count)))
    } else {
      v = Unit.zero
      for i in 0..<max(0, min(count, Unit.lanes)) { v[i] = p[i &* stride] }
    }
  }

  @_alwaysEmitIntoClient @inline(__always)
  public mutating func multiplyAdd(_ a: Self, _ b: Self) { v = Unit.multiplyAdd(a.v, b.v, v) }

  @_alwaysEmitIntoClient @inline(__always)
  public static func + (a: Self, b: Self) -> Self { Self(a.v + b.v) }

  @_alwaysEmitIntoClient @inline(__always)
  public var magnitudes: Self { Self(Unit.select(-v, v, where: Unit.zero, exceeds: v)) }

  @_alwaysEmitIntoClient @inline(__always)
  public var total: Unit.Scalar {
    var folded = v
    var half = Unit.lanes / 2
    while half > 0 {
      for i in 0..<half { folded[i] = folded[i] + folded[i &+ half] }
      half /= 2
    }
    return folded[0]
  }
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
  public init(_ p: UnsafePointer<Unit.Scalar>, stride: Int, count: Int) {
    low = Half(p, stride: stride, count: count)
    // Past the end nothing is read, but the address must not leave the array either.
    high =
      count > Half.count
      ? Half(p + Half.count &* stride, stride: stride, count: count &- Half.count) : Half()
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
  /// Σ xᵢ·yᵢ, or Σ |xᵢ| (then y is not read).
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
    var sums = R()
    var i = 0
    while i < x.count {
      let left = x.count &- i
      // A constant count in the loop's body lets the compiler drop the masks there.
      let count = left >= R.count ? R.count : left
      let xs = R(x.base + i &* x.stride, stride: x.stride, count: count)
      switch what {
      case .products: sums.multiplyAdd(xs, R(y.base + i &* y.stride, stride: y.stride, count: count))
      case .magnitudes: sums = sums + xs.magnitudes
      }
      i &+= R.count
    }
    return sums.total
  }
}
