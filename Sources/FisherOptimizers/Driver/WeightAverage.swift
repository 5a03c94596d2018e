import FisherLinearAlgebra

/// average ← d·average + (1 − d)·θ, written so that a weight that does not move is its own average, bit for bit: the
/// average stands in for the value, and the new θ for the gradient.
struct WeightAverage<Scalar: KernelScalar>: UpdateRule {
  /// 1 − d.
  let rest: Scalar

  @inline(__always)
  func update(_ x: inout Element<Scalar>, _: inout NoState) { x.value += rest * (x.gradient - x.value) }
}
