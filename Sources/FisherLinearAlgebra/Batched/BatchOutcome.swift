import FisherRuntime

/// What is added to the diagonal of a symmetric matrix before it is factorized or inverted.
public enum Damping<Scalar: KernelScalar>: Sendable, Equatable {
  case none
  /// λ, at least 0.
  case absolute(Scalar)
  /// λ times the mean of the matrix's own diagonal, λ at least 0.
  case relative(Scalar)

  /// The two numbers of which one is 0.
  var parts: (absolute: Scalar, relative: Scalar) {
    switch self {
    case .none: return (0, 0)
    case .absolute(let value): return (value, 0)
    case .relative(let value): return (0, value)
    }
  }

  /// The two numbers; traps unless they are at least 0.
  @inline(__always)
  func checkedParts(_ operation: StaticString) -> (absolute: Scalar, relative: Scalar) {
    let parts = parts
    require(
      parts.absolute >= 0 && parts.relative >= 0, "\(operation): damping is \(self); it must be at least 0")
    return parts
  }
}

/// How an operation on many matrices went.
public struct BatchOutcome: Sendable, Equatable {
  /// A matrix that is not positive definite, or singular.
  public struct Failure: Sendable, Equatable {
    /// Which of the matrices, from 0.
    public let matrix: Int
    /// The first bad pivot, from 0: not above 0, or 0 where signs do not matter; NaN included.
    public let pivot: Int
  }

  /// The matrices that failed, in order. What they would have overwritten is as it was.
  public let failures: [Failure]

  /// Nothing failed.
  public var isComplete: Bool { failures.isEmpty }

  static let complete = BatchOutcome(failures: [])

  private init(failures: [Failure]) { self.failures = failures }

  /// From the first bad pivot of each matrix, −1 where there is none.
  init(_ outcomes: UnsafeBufferPointer<Int32>) {
    var failures: [Failure] = []
    for (i, pivot) in outcomes.enumerated() where pivot >= 0 {
      failures.append(Failure(matrix: i, pivot: Int(pivot)))
    }
    self.failures = failures
  }
}
