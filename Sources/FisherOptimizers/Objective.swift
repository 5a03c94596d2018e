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

  /// The mean loss of the same batch at other weights, in the order of the parameters.
  func loss(at values: [Matrix<Scalar>]) throws(StepRefusal) -> Double
}

extension Objective {
  public func loss(at values: [Matrix<Scalar>]) throws(StepRefusal) -> Double {
    throw .unavailable(optimizer: "the optimizer", what: Needs.evaluation.description)
  }
}

/// A loss and nothing else: enough for every method that needs gradients alone.
public struct PlainObjective<Scalar: KernelScalar>: Objective {
  public let loss: Double
  public let sampleCount: Int

  public init(loss: Double = 0, sampleCount: Int = 1) {
    self.loss = loss
    self.sampleCount = sampleCount
  }
}
