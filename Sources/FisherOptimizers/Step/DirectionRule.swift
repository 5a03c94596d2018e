public import FisherLinearAlgebra

/// θ ← (1 − α·γ)·θ − α·Δ, for methods that have computed the direction Δ and decay θ beside it.
public struct DirectionRule<Scalar: KernelScalar>: UpdateRule {
  @usableFromInline let α, shrink: Scalar

  /// - Parameters:
  ///   - α: what multiplies the direction, the gradient of the update.
  ///   - shrink: 1 − α·γ, or 1.
  @inlinable
  public init(α: Scalar, shrink: Scalar) { (self.α, self.shrink) = (α, shrink) }

  @inlinable @inline(__always)
  public func update(_ x: inout Element<Scalar>, _: inout NoState) {
    x.value = shrink * x.value - α * x.gradient
  }
}
