import FisherLinearAlgebra
import FisherOptimizers

/// θ ← θ′ + (r − 1)·(θ′ − θ), the step that is proposed times r: with r = 1 it is the proposal, bit for bit.
struct Rescaled<S: KernelScalar>: UpdateRule {
  /// r − 1.
  private let more: S

  init(_ r: Double) { more = S(r - 1) }

  @inline(__always)
  func update(_ x: inout Element<S>, _: inout NoState) {
    // Where the old weight is what remains, rounding has no say.
    x.value = more == -1 ? x.value : x.gradient + more * (x.gradient - x.value)
  }
}

/// x − y
struct Difference<S: KernelScalar>: PairFunction {
  @inline(__always)
  func value(_ x: Lanes<S>, _ y: Lanes<S>) -> Lanes<S> { x - y }
}

/// Δ where it points away from g, else 0.
struct Agreeing<S: KernelScalar>: PairFunction {
  @inline(__always)
  func value(_ Δ: Lanes<S>, _ g: Lanes<S>) -> Lanes<S> {
    // Signs, and not the product, which may vanish.
    Lanes.maximum(-(Δ.sign * g.sign), .zero) * Δ
  }
}

/// 1 where x is not 0.
struct NonZero<S: KernelScalar>: RowTerm {
  @inline(__always)
  func value(_ x: Lanes<S>, row: Lanes<S>, column: Lanes<S>) -> Lanes<S> { x.sign * x.sign }
}

extension Step {
  /// Δ = θ′ − θ.
  @inline(__always)
  mutating func difference(_ proposed: Matrix<Scalar>, of parameter: ParameterInfo) -> Matrix<Scalar> {
    direction(of: parameter, Difference(), proposed, value(parameter))
  }
}
