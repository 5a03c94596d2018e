import Builtin
public import FisherLinearAlgebra

/// √x lane by lane, correctly rounded.
@inlinable @inline(__always)
public func squareRoot<S: KernelScalar>(_ x: Lanes<S>) -> Lanes<S> {
  Lanes.combine(
    x, x,
    { x, _ in
      let root = Builtin.int_sqrt_Vec8xFPIEEE32(unsafeBitCast(x, to: Builtin.Vec8xFPIEEE32.self))
      return unsafeBitCast(root, to: SIMD8<Float>.self)
    },
    { x, _ in
      let root = Builtin.int_sqrt_Vec8xFPIEEE64(unsafeBitCast(x, to: Builtin.Vec8xFPIEEE64.self))
      return unsafeBitCast(root, to: SIMD8<Double>.self)
    }, { x, _ in x.squareRoot() })
}

/// The larger of each pair of lanes; a NaN in `b` is dropped.
@inlinable @inline(__always)
public func maximum<S: KernelScalar>(_ a: Lanes<S>, _ b: Lanes<S>) -> Lanes<S> {
  Lanes.combine(
    a, b, { $0.replacing(with: $1, where: $1 .> $0) }, { $0.replacing(with: $1, where: $1 .> $0) },
    { $0.replacing(with: $1, where: $1 .> $0) })
}

/// −1, 0 or 1 in each lane; 0 for NaN.
@inlinable @inline(__always)
public func sign<S: KernelScalar>(_ x: Lanes<S>) -> Lanes<S> {
  Lanes.combine(
    x, .zero,
    { x, zero in zero.replacing(with: 1, where: x .> zero).replacing(with: -1, where: x .< zero) },
    { x, zero in zero.replacing(with: 1, where: x .> zero).replacing(with: -1, where: x .< zero) },
    { x, zero in zero.replacing(with: 1, where: x .> zero).replacing(with: -1, where: x .< zero) })
}
