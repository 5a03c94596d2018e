extension Lanes {
  /// √x lane by lane, correctly rounded.
  @inlinable @inline(__always)
  public func squareRoot() -> Lanes { Lanes(Scalar._squareRoot(vector)) }

  /// The larger of each pair of lanes; a NaN in `b` is dropped.
  @inlinable @inline(__always)
  public static func maximum(_ a: Lanes, _ b: Lanes) -> Lanes { Lanes(Scalar._maximum(a.vector, b.vector)) }

  /// −1, 0 or 1 in each lane; 0 for NaN.
  @inlinable @inline(__always)
  public var sign: Lanes { Lanes(Scalar._sign(vector)) }
}
