import FisherRuntime

/// What is added to the diagonal of a symmetric matrix before it is factorized or inverted.
public enum Damping<Scalar: KernelScalar>: Sendable, Equatable {
  case none
  /// λ, at least 0.
  case absolute(Scalar)
  /// λ times the mean of the matrix's own diagonal, λ at least 0.
  case relative(Scalar)

  /// The two numbers, of which one is 0; traps unless they are at least 0.
  @inline(__always)
  func checkedParts(_ operation: StaticString) -> (absolute: Scalar, relative: Scalar) {
    let parts: (absolute: Scalar, relative: Scalar) =
      switch self {
      case .none: (0, 0)
      case .absolute(let value): (value, 0)
      case .relative(let value): (0, value)
      }
    require(
      parts.absolute >= 0 && parts.relative >= 0, "\(operation): damping is \(self); it must be at least 0")
    return parts
  }
}

extension Damping {
  /// λ = `absolute` + `relative` · mean of n ≥ 0 numbers on a diagonal, for which alone the sum may leave the range.
  /// Without relative damping the diagonal is not looked at, and a NaN stays where it is.
  @inline(__always)
  static func value<T: BinaryFloatingPoint>(
    _ absolute: T, _ relative: T, order n: Int, _ diagonal: (Int) -> T
  ) -> T {
    if relative == 0 || n == 0 { return absolute }
    var sum: T = 0
    for i in 0..<n { sum += diagonal(i) }
    if sum.isFinite { return absolute + relative * (sum / T(n)) }
    var mean: T = 0
    for i in 0..<n { mean += diagonal(i) / T(n) }
    return absolute + relative * mean
  }
}
