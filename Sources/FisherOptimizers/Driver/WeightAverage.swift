public import FisherLinearAlgebra

/// x + w·(y − x): x moved towards y, written so that what does not move stays where it is, bit for bit. With w = 1 it
/// is y.
@inlinable @inline(__always)
public func moved<S: KernelScalar>(_ x: Lanes<S>, towards y: Lanes<S>, by w: S) -> Lanes<S> {
  w == 1 ? y : x + w * (y - x)
}

/// average ← d·average + (1 − d)·θ: the average stands in for the value, and the new θ for the gradient.
struct WeightAverage<Scalar: KernelScalar>: UpdateRule {
  /// 1 − d.
  let rest: Scalar

  @inline(__always)
  func update(_ x: inout Element<Scalar>, _: inout NoState) {
    x.value = moved(x.value, towards: x.gradient, by: rest)
  }
}
