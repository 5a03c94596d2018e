public import FisherCurvature
public import FisherLinearAlgebra

/// What a naive optimizer is given: everything in double precision, in plain arrays.
public struct ReferenceStep {
  public let parameters: [ParameterInfo]
  /// θ of every parameter in row-major order: read and written.
  public var values: [[Double]]
  /// g of every parameter.
  public let gradients: [[Double]]
  /// What the schedule multiplies the learning rate with.
  public let schedule: Double

  public let captures: Captures<Double, Empirical>?

  public init(
    parameters: [ParameterInfo], values: [[Double]], gradients: [[Double]], schedule: Double = 1,
    captures: Captures<Double, Empirical>? = nil
  ) {
    self.parameters = parameters
    self.values = values
    self.gradients = gradients
    self.schedule = schedule
    self.captures = captures
  }
}

/// A method by plain loops that follow its definition, with its own state: slow, obvious, and independent of the
/// machinery that runs the fast form.
public protocol ReferenceOptimizer {
  mutating func step(_ step: inout ReferenceStep)
}
