// y = exp(x − max)/Σ exp(x − max), row by row, in three passes over a row that is in the first-level cache.
//
// The sum is formed in pairs, in 64 bytes of running sums whatever the width of a vector. It is 1 + rest, and pairs hold
// the rest to full precision however small it is: log Σ exp(x) = max + log(1 + rest) would lose it, and so would a loss
// made of that, log Σ exp(x) − xⱼ = (max − xⱼ) + log(1 + rest).

/// Σ exp(xⱼ) = exp(peak)·(1 + rest)
@frozen
public struct ExponentialSum<Scalar> {
  /// The largest xⱼ; 0 if none is above −∞.
  public var peak: Scalar
  /// Σ exp(xⱼ − peak) − 1: the sum without one of the largest.
  public var rest: Scalar

  @_alwaysEmitIntoClient @inline(__always)
  public init(peak: Scalar, rest: Scalar) {
    self.peak = peak
    self.rest = rest
  }
}

extension VectorUnit where Vector: SIMD, Vector.Scalar == Scalar, Scalar: BinaryFloatingPoint & SIMDScalar {
  @_alwaysEmitIntoClient
  public static func softmax(
    _ x: MatrixPointer<Scalar>, to y: MutableMatrixPointer<Scalar>,
    sums: UnsafeMutablePointer<ExponentialSum<Scalar>>?
  ) {
    let n = x.columns
    for i in 0..<x.rows {
      let (source, target) = (x.base + i &* x.rowStride, y.base + i &* y.rowStride)
      let peak = largest(source, n)
      apply(ShiftedExponential<Self>(shift: broadcast(peak)), source, target, n)
      let total = preciseSum(target, n)
      let divisor = Pair<Self>(broadcast(total.high), broadcast(total.low))
      apply(Quotient(divisor: divisor), UnsafePointer(target), target, n)
      if let sums { sums[i] = ExponentialSum(peak: peak, rest: (total.high - 1) + total.low) }
    }
  }

  /// Σ x as a sum of two numbers.
  @_alwaysEmitIntoClient @inline(__always)
  static func preciseSum(_ x: UnsafePointer<Scalar>, _ count: Int) -> (high: Scalar, low: Scalar) {
    let width = 64 / MemoryLayout<Scalar>.size
    var (high, low): (Scalar, Scalar) = (0, 0)
    var block = 0
    while block < width {
      var sums = Pair<Self>(zero)
      var i = block
      while i < count {
        let left = count &- i
        let next = Pair<Self>(sums.high, plus: left >= lanes ? load(x + i) : load(x + i, mask(first: left)))
        sums = Pair(next.high, sums.low + next.low)
        i &+= width
      }
      for lane in 0..<lanes {
        let (a, b) = (high, sums.high[lane])
        high = a + b
        let part = high - a
        low += ((a - (high - part)) + (b - part)) + sums.low[lane]
      }
      block &+= lanes
    }
    return (high, low)
  }

  /// The largest element; NaN is passed over. 0 if none is above −∞.
  @_alwaysEmitIntoClient @inline(__always)
  static func largest(_ x: UnsafePointer<Scalar>, _ count: Int) -> Scalar {
    var (result, i) = (-Scalar.infinity, 0)
    if count >= lanes {
      var peaks = broadcast(-.infinity)
      while i &+ lanes <= count {
        let v = load(x + i)
        peaks = select(v, peaks, where: v, exceeds: peaks)
        i &+= lanes
      }
      for lane in 0..<lanes where peaks[lane] > result { result = peaks[lane] }
    }
    while i < count {
      if x[i] > result { result = x[i] }
      i &+= 1
    }
    return result == -.infinity ? 0 : result
  }
}

/// exp(x − shift); the rounding error of x − shift would be an error of |x − shift|/2 ulps. It is not asked for where
/// the difference is infinite and the result 0.
@frozen
public struct ShiftedExponential<Unit: VectorUnit>: LaneFunction
where Unit.Vector: SIMD, Unit.Vector.Scalar == Unit.Scalar, Unit.Scalar: BinaryFloatingPoint & SIMDScalar {
  @usableFromInline let shift: Unit.Vector

  @_alwaysEmitIntoClient @inline(__always)
  init(shift: Unit.Vector) { self.shift = shift }

  @_alwaysEmitIntoClient @inline(__always)
  public func callAsFunction(_ x: Unit.Vector) -> Unit.Vector {
    let difference = Pair<Unit>(x, plus: -shift)
    let low = Unit.select(-difference.low, Unit.zero, where: difference.high, exceeds: Unit.leastExponent)
    return Unit.exponential(difference.high, minus: low)
  }
}

/// x/divisor, with one rounding.
@frozen
public struct Quotient<Unit: VectorUnit>: LaneFunction
where Unit.Vector: SIMD, Unit.Vector.Scalar == Unit.Scalar, Unit.Scalar: BinaryFloatingPoint & SIMDScalar {
  @usableFromInline let divisor: Pair<Unit>

  @_alwaysEmitIntoClient @inline(__always)
  init(divisor: Pair<Unit>) { self.divisor = divisor }

  @_alwaysEmitIntoClient @inline(__always)
  public func callAsFunction(_ x: Unit.Vector) -> Unit.Vector { Pair<Unit>(x).divided(by: divisor).sum }
}
