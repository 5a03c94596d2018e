import FisherOptimizers

/// What a check found.
public struct Finding: Sendable, Equatable {
  /// `matches-reference`
  public let check: String
  public let passed: Bool
  /// What was measured, or why it failed.
  public let detail: String

  public init(check: String, passed: Bool, detail: String) {
    self.check = check
    self.passed = passed
    self.detail = detail
  }
}

/// A property that an optimizer must have, or has said to have.
struct Check: Sendable {
  let name: String
  /// The property in a sentence.
  let meaning: String
  /// Whether the optimizer's facts call for it.
  var applies: @Sendable (OptimizerRecord) -> Bool = { _ in true }
  /// What was measured.
  ///
  /// - Throws: ``Failure`` if the property does not hold; every other error is a failure too.
  let run: @Sendable (Subject) throws -> String
}

/// Why a check failed.
struct Failure: Error, CustomStringConvertible {
  let description: String

  init(_ description: String) { self.description = description }
}

/// - Throws: ``Failure`` unless the condition holds.
func demand(_ condition: Bool, _ message: @autoclosure () -> String) throws {
  if !condition { throw Failure(message()) }
}

/// The relative error of two runs, as text; fails above the bound or for NaN.
func demandClose(
  _ values: [[Double]], _ expected: [[Double]], within bound: Double, _ what: String
) throws -> Double {
  let error = relativeError(values, expected)
  try demand(error <= bound, "\(what): relative error \(error), at most \(bound) is allowed")
  return error
}
