import Builtin

extension Lanes {
  /// √x lane by lane, correctly rounded.
  @inlinable @inline(__always)
  public func squareRoot() -> Lanes {
    Lanes.combine(
      self, self,
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
  public static func maximum(_ a: Lanes, _ b: Lanes) -> Lanes {
    Lanes.combine(
      a, b, { $0.replacing(with: $1, where: $1 .> $0) }, { $0.replacing(with: $1, where: $1 .> $0) },
      { $0.replacing(with: $1, where: $1 .> $0) })
  }

  /// −1, 0 or 1 in each lane; 0 for NaN.
  @inlinable @inline(__always)
  public var sign: Lanes {
    Lanes.combine(
      self, .zero,
      { x, zero in zero.replacing(with: 1, where: x .> zero).replacing(with: -1, where: x .< zero) },
      { x, zero in zero.replacing(with: 1, where: x .> zero).replacing(with: -1, where: x .< zero) },
      { x, zero in zero.replacing(with: 1, where: x .> zero).replacing(with: -1, where: x .< zero) })
  }
}
