import FisherCurvature
public import FisherLinearAlgebra

/// A network at work: the buffers of its passes, kept from batch to batch.
///
/// Parameters come with each call and stay with the caller. Once it has seen the largest batch, a pass takes no
/// memory. Matrices that a workspace lends are what they are until the caller drops them; those who hold one over the
/// next pass cost that pass an allocation. Results have the same bits for any number of threads. Not for use from two
/// threads at once.
public final class Workspace<Scalar: KernelScalar> {
  public let network: Network<Scalar>
  public let backend: any Backend
  public let threads: Int

  /// The samples of the last forward pass.
  public internal(set) var sampleCount = 0
  /// The loss of the last forward pass, combined as the network's loss says.
  public internal(set) var loss = Double.nan

  var inputs: Matrix<Scalar>?
  var labels: Labels<Scalar>?
  var activations: [Buffer<Scalar>]
  var gradients: [Buffer<Scalar>]
  var saved: [Buffer<Scalar>]
  /// Where the operands of this pass lie, by slot, node and parameter.
  var places: Places<Scalar>
  var rowLosses: [Double] = []
  /// What a backward pass has left for captures.
  var empirical: Captures<Scalar, Empirical>?
  var hasCaptures = false
  /// Buffers for passes at other weights.
  var trial: Workspace?

  init(_ network: Network<Scalar>, backend: any Backend, threads: Int) {
    require(threads >= 1, "Workspace: threads is \(threads), it must be at least 1")
    self.network = network
    self.backend = backend
    self.threads = threads
    activations = network.program.slots.map { Buffer(columns: $0.count) }
    gradients = network.program.slots.map { Buffer(columns: $0.count) }
    saved = network.program.nodes.map { Buffer(columns: $0.operation.savedPerSample) }
    places = Places(network.program)
  }

  /// The outputs of the last forward pass, a row a sample: logits, say.
  public var outputs: Matrix<Scalar> { activations[network.program.output].lend(rows: sampleCount) }

  /// The terms that the loss combines: samples × positions.
  public var termCount: Int { sampleCount * network.output.positions }

  /// Forgets the batch, so that the caller can write its matrices in place again.
  public func releaseBatch() {
    inputs = nil
    labels = nil
    empirical = nil
  }
}
