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
