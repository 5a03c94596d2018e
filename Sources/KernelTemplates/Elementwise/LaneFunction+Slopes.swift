// Derivatives, from the value y where that tells it, else from the argument x.

/// y
@frozen
public struct ExponentialSlope<Unit: VectorUnit>: LaneFunction
where Unit.Vector: SIMD, Unit.Vector.Scalar == Unit.Scalar, Unit.Scalar: BinaryFloatingPoint & SIMDScalar {
  @_alwaysEmitIntoClient @inline(__always)
  public init() {}

  @_alwaysEmitIntoClient @inline(__always)
  public func callAsFunction(_ x: Unit.Vector) -> Unit.Vector { x }
}

/// 1/x
@frozen
public struct LogarithmSlope<Unit: VectorUnit>: LaneFunction
where Unit.Vector: SIMD, Unit.Vector.Scalar == Unit.Scalar, Unit.Scalar: BinaryFloatingPoint & SIMDScalar {
  @_alwaysEmitIntoClient @inline(__always)
  public init() {}

  @_alwaysEmitIntoClient @inline(__always)
  public func callAsFunction(_ x: Unit.Vector) -> Unit.Vector { Unit.divide(Unit.one, x) }
}

/// 1 − y²
@frozen
public struct HyperbolicTangentSlope<Unit: VectorUnit>: LaneFunction
where Unit.Vector: SIMD, Unit.Vector.Scalar == Unit.Scalar, Unit.Scalar: BinaryFloatingPoint & SIMDScalar {
  @_alwaysEmitIntoClient @inline(__always)
  public init() {}

  @_alwaysEmitIntoClient @inline(__always)
  public func callAsFunction(_ x: Unit.Vector) -> Unit.Vector { (Unit.one - x) * (Unit.one + x) }
}

/// y·(1 − y)
@frozen
public struct SigmoidSlope<Unit: VectorUnit>: LaneFunction
where Unit.Vector: SIMD, Unit.Vector.Scalar == Unit.Scalar, Unit.Scalar: BinaryFloatingPoint & SIMDScalar {
  @_alwaysEmitIntoClient @inline(__always)
  public init() {}

  @_alwaysEmitIntoClient @inline(__always)
  public func callAsFunction(_ x: Unit.Vector) -> Unit.Vector { x * (Unit.one - x) }
}

/// Φ(x) + x·φ(x)
@frozen
public struct GeluSlope<Unit: VectorUnit>: LaneFunction
where Unit.Vector: SIMD, Unit.Vector.Scalar == Unit.Scalar, Unit.Scalar: BinaryFloatingPoint & SIMDScalar {
  @_alwaysEmitIntoClient @inline(__always)
  public init() {}

  @_alwaysEmitIntoClient @inline(__always)
  public func callAsFunction(_ x: Unit.Vector) -> Unit.Vector { Unit.geluDerivative(x) }
}

/// σ(x)·(1 + x·(1 − σ(x)))
@frozen
public struct SiluSlope<Unit: VectorUnit>: LaneFunction
where Unit.Vector: SIMD, Unit.Vector.Scalar == Unit.Scalar, Unit.Scalar: BinaryFloatingPoint & SIMDScalar {
  @_alwaysEmitIntoClient @inline(__always)
  public init() {}

  @_alwaysEmitIntoClient @inline(__always)
  public func callAsFunction(_ x: Unit.Vector) -> Unit.Vector { Unit.siluDerivative(x) }
}
