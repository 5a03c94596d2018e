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

  /// What the batch can be asked: captures, output gradients, drawn labels.
  public let objective: PlainObjective<Double>

  public var captures: Captures<Double, Empirical>? { objective.captures }

  public init(
    parameters: [ParameterInfo], values: [[Double]], gradients: [[Double]], schedule: Double = 1,
    objective: PlainObjective<Double> = PlainObjective()
  ) {
    self.parameters = parameters
    self.values = values
    self.gradients = gradients
    self.schedule = schedule
    self.objective = objective
  }
}

/// A method by plain loops that follow its definition, with its own state: slow, obvious, and independent of the
/// machinery that runs the fast form.
public protocol ReferenceOptimizer {
  mutating func step(_ step: inout ReferenceStep)

  /// What is tested in the place of the weights that are trained, after the last step; nil for the same.
  var tested: [[Double]]? { get }
}

extension ReferenceOptimizer {
  public var tested: [[Double]]? { nil }
}
