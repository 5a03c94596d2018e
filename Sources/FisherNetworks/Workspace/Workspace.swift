import FisherCurvature
public import FisherLinearAlgebra
import FisherRuntime

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

  /// The running averages of batch norms, a row each, in the order of ``Network/statisticNames``.
  ///
  /// Passes do not change them; ``updateStatistics()`` does.
  public var statistics: [Matrix<Scalar>] {
    didSet { requireStatistics() }
  }
  /// The samples of the last forward pass.
  public internal(set) var sampleCount = 0
  /// The loss of the last forward pass, combined as the network's loss says.
  public internal(set) var loss = Double.nan

  /// The samples of the batch of which the last forward pass had a shard; nil if it had the whole batch.
  var batchSamples: Int?
  var mode = PassMode.evaluation
  var inputs: Matrix<Scalar>?
  var labels: Labels<Scalar>?
  var activations: [Buffer<Scalar>]
  var gradients: [Buffer<Scalar>]
  var tangents: [Buffer<Scalar>]
  var gradientTangents: [Buffer<Scalar>]
  var saved: [Buffer<Scalar>]
  var rowLosses: [Double] = []
  /// How much each row of outputs counts; nil if all count alike.
  var rowWeights: [Double]?
  /// Where the operands of this pass lie.
  let places: Places<Scalar>
  /// The output's gradient is in its buffer, as the forward pass left it.
  var hasOutputGradient = false
  /// The gradients' buffers hold what ``captures`` shows.
  var hasCaptures = false
  /// The captures, where a later backward pass has taken the buffers.
  var keptCaptures: Captures<Scalar, Empirical>?
  /// Buffers for passes at other weights.
  var trial: Workspace?

  init(_ network: Network<Scalar>, backend: any Backend, threads: Int) {
    require(threads >= 1, "Workspace: threads is \(threads), it must be at least 1")
    let program = network.program
    self.network = network
    self.backend = backend
    self.threads = threads
    activations = program.slots.map { Buffer(columns: $0.count) }
    gradients = activations
    tangents = activations
    gradientTangents = activations
    saved = program.nodes.map { _ in Buffer(columns: 1) }
    statistics = program.statistics.map { Matrix(repeating: Scalar($0.initial), rows: 1, columns: $0.count) }
    places = Places(program)
  }

  /// The outputs of the last forward pass, a row a sample: logits, say.
  public var outputs: Matrix<Scalar> { activations[network.program.output.slot].lend(rows: sampleCount) }

  /// The rows of outputs: samples × positions.
  var rowCount: Int { sampleCount * network.output.positions }

  /// The terms that the loss combines: the rows of outputs that have a label; at least 1.
  public var termCount: Int {
    guard rowWeights != nil, case .classes(let classes)? = labels else { return rowCount }
    return max(1, classes.count { $0 >= 0 })
  }

  /// Forgets the batch, so that the caller can write its matrices in place again.
  public func releaseBatch() {
    inputs = nil
    labels = nil
    rowWeights = nil
    keptCaptures = nil
    hasCaptures = false
    hasOutputGradient = false
    batchSamples = nil
  }

  /// Takes the statistics of the last training pass into the running averages: once a step, when it has been taken.
  public func updateStatistics() {
    if !mode.isTraining || sampleCount == 0 { return }
    placeStatistics(toWrite: true)
    for (index, node) in network.program.nodes.enumerated() where !node.statistics.isEmpty {
      node.operation.updateStatistics(call(node, index))
    }
  }

  private func requireStatistics() {
    let wanted = network.program.statistics
    require(
      statistics.count == wanted.count
        && zip(statistics, wanted).allSatisfy { $0.rows == 1 && $0.columns == $1.count },
      "Workspace: \(statistics.map { "\($0.rows)×\($0.columns)" }) for the statistics \(wanted.map(\.name))")
  }
}
