public import FisherCurvature
public import FisherLinearAlgebra

/// The current batch, as something that an optimizer can ask again.
///
/// The trainer implements it for its networks; a foreign training loop or a recorded trace may too. What is not
/// implemented throws ``StepRefusal/unavailable(optimizer:what:)``, and nothing is computed that nobody asks for.
public protocol Objective<Scalar> {
  associatedtype Scalar: KernelScalar
  /// The mean loss at the current weights.
  var loss: Double { get }
  /// The number of terms that the mean averages.
  var sampleCount: Int { get }
  /// What passed through the layers with the labels of the data; nil unless the step's needs asked for it.
  var captures: Captures<Scalar, Empirical>? { get }

  /// A second backward pass on the same forward pass, from labels drawn from the model.
  func sampledCaptures() throws(StepRefusal) -> Captures<Scalar, Sampled>
  /// The mean loss of the same batch at other weights, in the order of the parameters.
  func loss(at values: [Matrix<Scalar>]) throws(StepRefusal) -> Double
  /// Nothing more will be asked: an objective that holds the weights lets go of them here, so that they can be updated
  /// in place.
  func planningEnded()
}

extension Objective {
  public var captures: Captures<Scalar, Empirical>? { nil }

  public func planningEnded() {}

  public func sampledCaptures() throws(StepRefusal) -> Captures<Scalar, Sampled> {
    throw .unavailable(optimizer: "the optimizer", what: Needs.sampledLabels.description)
  }

  public func loss(at values: [Matrix<Scalar>]) throws(StepRefusal) -> Double {
    throw .unavailable(optimizer: "the optimizer", what: Needs.evaluation.description)
  }
}

/// A loss, and captures if there are any: a recorded step.
public struct PlainObjective<Scalar: KernelScalar>: Objective {
  public let loss: Double
  public let sampleCount: Int
  public let captures: Captures<Scalar, Empirical>?

  public init(loss: Double = 0, sampleCount: Int = 1, captures: Captures<Scalar, Empirical>? = nil) {
    self.loss = loss
    self.sampleCount = sampleCount
    self.captures = captures
  }
}
