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

  /// ∂ℓₙ/∂zₙ, the gradients by the network's outputs, one row a sample (or a sample and position); nil unless the
  /// step's needs asked for it.
  var outputGradients: OutputGradients<Scalar>? { get }

  /// A second backward pass on the same forward pass, from labels drawn from the model.
  func sampledCaptures() throws(StepRefusal) -> Captures<Scalar, Sampled>
  /// Backward passes on the same forward pass, one for every column of a square root of the loss's curvature.
  func exactFisher() throws(StepRefusal) -> ExactFisher<Scalar>
  /// The mean loss of the same batch at other weights, in the order of the parameters.
  func loss(at values: [Matrix<Scalar>]) throws(StepRefusal) -> Double
  /// What passes through the layers when the same batch is sent forward and backward at other weights, with the labels of
  /// the data.
  ///
  /// - Parameter values: weights by the names of their parameters, without gaps; the others are as they are.
  func captures(at values: [String: Matrix<Scalar>]) throws(StepRefusal) -> Captures<Scalar, Empirical>
  /// H·v, H being the Hessian of the mean loss at the current weights with the labels of the data, by forward over reverse.
  ///
  /// - Parameter direction: v by the names of the parameters, without gaps; zeros for those that are not named.
  /// - Returns: H·v for all parameters that the objective knows, by their names.
  func hessianProduct(along direction: [String: Matrix<Scalar>]) throws(StepRefusal) -> [String: Matrix<
    Scalar
  >]
  /// What ``captures`` holds, where sums over samples are wanted: of this rank's shards alone. Nil as that.
  var shardedCaptures: ShardedCaptures<Scalar>? { get }
  /// What ``sampledCaptures()`` would answer, where sums over samples are wanted: of this rank's shards alone.
  func sampledShardedCaptures() throws(StepRefusal) -> ShardedCaptures<Scalar>
  /// The ranks that take the step together; nil if this process is alone.
  var sharing: (any WorkSharing)? { get }
  /// Why something that a property should have answered is missing: then the step is refused. Nil if all is well.
  var interruption: StepRefusal? { get }
  /// Nothing more will be asked: an objective that holds the weights lets go of them here, so that they can be updated
  /// in place.
  func planningEnded()
}

extension Objective {
  public var captures: Captures<Scalar, Empirical>? { nil }
  public var outputGradients: OutputGradients<Scalar>? { nil }

  public var sharing: (any WorkSharing)? { nil }
  public var interruption: StepRefusal? { nil }

  /// The batch in one piece.
  public var shardedCaptures: ShardedCaptures<Scalar>? {
    captures.map { ShardedCaptures(whole: .init($0.layers, outputs: outputGradients)) }
  }

  /// The batch in one piece.
  public func sampledShardedCaptures() throws(StepRefusal) -> ShardedCaptures<Scalar> {
    ShardedCaptures(whole: .init(try sampledCaptures().layers))
  }

  public func planningEnded() {}

  public func sampledCaptures() throws(StepRefusal) -> Captures<Scalar, Sampled> {
    throw .unavailable(optimizer: "the optimizer", what: Needs.sampledLabels.description)
  }

  public func exactFisher() throws(StepRefusal) -> ExactFisher<Scalar> {
    throw .unavailable(optimizer: "the optimizer", what: Needs.exactFisher.description)
  }

  public func hessianProduct(
    along direction: [String: Matrix<Scalar>]
  ) throws(StepRefusal) -> [String: Matrix<Scalar>] {
    throw .unavailable(optimizer: "the optimizer", what: Needs.hessianProducts.description)
  }

  public func loss(at values: [Matrix<Scalar>]) throws(StepRefusal) -> Double {
    throw .unavailable(optimizer: "the optimizer", what: Needs.evaluation.description)
  }

  public func captures(
    at values: [String: Matrix<Scalar>]
  ) throws(StepRefusal) -> Captures<Scalar, Empirical> {
    throw .unavailable(optimizer: "the optimizer", what: Needs.evaluation.description)
  }
}

/// What a recorded step knows: a loss, and everything else if it is there.
public struct PlainObjective<Scalar: KernelScalar>: Objective, Sendable {
  /// A pass at other weights, given those that are others.
  public typealias SecondPass = @Sendable (_ values: [String: Matrix<Scalar>]) -> Captures<Scalar, Empirical>
  /// Products of a Hessian with vectors, by the names of parameters.
  public typealias Hessian = @Sendable (_ direction: [String: Matrix<Scalar>]) -> [String: Matrix<Scalar>]

  public let loss: Double
  public let sampleCount: Int
  public let captures: Captures<Scalar, Empirical>?
  public let outputGradients: OutputGradients<Scalar>?
  let sampled: Captures<Scalar, Sampled>?
  let exact: ExactFisher<Scalar>?
  /// What ``captures(at:)`` answers.
  public let secondPass: SecondPass?
  /// What ``hessianProduct(along:)`` answers.
  public let hessian: Hessian?

  public init(
    loss: Double = 0, sampleCount: Int = 1, captures: Captures<Scalar, Empirical>? = nil,
    outputGradients: OutputGradients<Scalar>? = nil, sampled: Captures<Scalar, Sampled>? = nil,
    exact: ExactFisher<Scalar>? = nil, secondPass: SecondPass? = nil, hessian: Hessian? = nil
  ) {
    self.loss = loss
    self.sampleCount = sampleCount
    self.captures = captures
    self.outputGradients = outputGradients
    self.sampled = sampled
    self.exact = exact
    self.secondPass = secondPass
    self.hessian = hessian
  }

  public func sampledCaptures() throws(StepRefusal) -> Captures<Scalar, Sampled> {
    if let sampled { return sampled }
    throw .unavailable(optimizer: "the optimizer", what: Needs.sampledLabels.description)
  }

  public func exactFisher() throws(StepRefusal) -> ExactFisher<Scalar> {
    if let exact { return exact }
    throw .unavailable(optimizer: "the optimizer", what: Needs.exactFisher.description)
  }

  public func hessianProduct(
    along direction: [String: Matrix<Scalar>]
  ) throws(StepRefusal) -> [String: Matrix<Scalar>] {
    if let hessian { return hessian(direction) }
    throw .unavailable(optimizer: "the optimizer", what: Needs.hessianProducts.description)
  }

  public func captures(
    at values: [String: Matrix<Scalar>]
  ) throws(StepRefusal) -> Captures<Scalar, Empirical> {
    if let secondPass { return secondPass(values) }
    throw .unavailable(optimizer: "the optimizer", what: Needs.evaluation.description)
  }
}
