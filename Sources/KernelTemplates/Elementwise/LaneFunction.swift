/// A function from vector to vector, as a type.
///
/// Closures would do, but the compiler does not inline a large closure into its loop, and a vector that passes a call is
/// taken to pieces.
public protocol LaneFunction {
  associatedtype Unit: VectorUnit
  func callAsFunction(_ x: Unit.Vector) -> Unit.Vector
}

/// eˣ
@frozen
public struct Exponential<Unit: VectorUnit>: LaneFunction
where Unit.Vector: SIMD, Unit.Vector.Scalar == Unit.Scalar, Unit.Scalar: BinaryFloatingPoint & SIMDScalar {
  @_alwaysEmitIntoClient @inline(__always)
  public init() {}

  @_alwaysEmitIntoClient @inline(__always)
  public func callAsFunction(_ x: Unit.Vector) -> Unit.Vector { Unit.exponential(x, minus: Unit.zero) }
}

/// ln x
@frozen
public struct Logarithm<Unit: VectorUnit>: LaneFunction
where Unit.Vector: SIMD, Unit.Vector.Scalar == Unit.Scalar, Unit.Scalar: BinaryFloatingPoint & SIMDScalar {
  @_alwaysEmitIntoClient @inline(__always)
  public init() {}

  @_alwaysEmitIntoClient @inline(__always)
  public func callAsFunction(_ x: Unit.Vector) -> Unit.Vector { Unit.logarithm(x) }
}

/// tanh x
@frozen
public struct HyperbolicTangent<Unit: VectorUnit>: LaneFunction
where Unit.Vector: SIMD, Unit.Vector.Scalar == Unit.Scalar, Unit.Scalar: BinaryFloatingPoint & SIMDScalar {
  @_alwaysEmitIntoClient @inline(__always)
  public init() {}

  @_alwaysEmitIntoClient @inline(__always)
  public func callAsFunction(_ x: Unit.Vector) -> Unit.Vector { Unit.hyperbolicTangent(x) }
}

/// σ(x)
@frozen
public struct Sigmoid<Unit: VectorUnit>: LaneFunction
where Unit.Vector: SIMD, Unit.Vector.Scalar == Unit.Scalar, Unit.Scalar: BinaryFloatingPoint & SIMDScalar {
  @_alwaysEmitIntoClient @inline(__always)
  public init() {}

  @_alwaysEmitIntoClient @inline(__always)
  public func callAsFunction(_ x: Unit.Vector) -> Unit.Vector { Unit.sigmoid(x).value }
}

/// x·Φ(x)
@frozen
public struct Gelu<Unit: VectorUnit>: LaneFunction
where Unit.Vector: SIMD, Unit.Vector.Scalar == Unit.Scalar, Unit.Scalar: BinaryFloatingPoint & SIMDScalar {
  @_alwaysEmitIntoClient @inline(__always)
  public init() {}

  @_alwaysEmitIntoClient @inline(__always)
  public func callAsFunction(_ x: Unit.Vector) -> Unit.Vector { Unit.gelu(x) }
}

/// x·σ(x)
@frozen
public struct Silu<Unit: VectorUnit>: LaneFunction
where Unit.Vector: SIMD, Unit.Vector.Scalar == Unit.Scalar, Unit.Scalar: BinaryFloatingPoint & SIMDScalar {
  @_alwaysEmitIntoClient @inline(__always)
  public init() {}

  @_alwaysEmitIntoClient @inline(__always)
  public func callAsFunction(_ x: Unit.Vector) -> Unit.Vector { Unit.silu(x) }
}
