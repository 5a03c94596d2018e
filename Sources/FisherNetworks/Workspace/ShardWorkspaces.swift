public import FisherCurvature
public import FisherLinearAlgebra
import FisherRuntime

/// Workspaces of some shards of one batch, which pass node by node beside one another, so that batch norms see the whole
/// batch: what a pass of the batch in one piece would have given, up to rounding, with the memory of all shards at once.
///
/// Other shards may be elsewhere. Numbers are exchanged at each batch norm: three a channel and shard forward, two backward.
public struct ShardWorkspaces<Scalar: KernelScalar> {
  /// In the order of the shards.
  public let workspaces: [Workspace<Scalar>]

  /// What goes forward in a shard.
  public struct Pass {
    let inputs: Matrix<Scalar>
    let labels: Labels<Scalar>
    let mode: PassMode

    /// Inputs, labels and mode as ``Workspace/forward(_:_:_:mode:)`` has them; all shards have modes of one kind.
    public init(_ inputs: Matrix<Scalar>, _ labels: Labels<Scalar>, mode: PassMode) {
      (self.inputs, self.labels, self.mode) = (inputs.compacted(), labels, mode)
    }
  }

  /// Gives each place the numbers of all shards of the batch, in their order, given those of the shards here.
  public typealias Gather<Failure: Error> = (_ own: [[Double]]) throws(Failure) -> [[Double]]

  /// - Precondition: `count` ≥ 1.
  public init(_ count: Int, of network: Network<Scalar>, on backend: any Backend, threads: Int) {
    require(count >= 1, "ShardWorkspaces: \(count) shards")
    workspaces = (0..<count).map { _ in network.makeWorkspace(on: backend, threads: threads) }
  }

  private var nodes: [Node<Scalar>] { workspaces[0].network.program.nodes }

  /// Forward passes with their losses, which are those of the shards: ``Workspace/loss``.
  ///
  /// - Parameters:
  ///   - values: the parameters.
  ///   - passes: one a shard.
  ///   - gather: from all shards of the batch.
  public func forward<Failure: Error>(
    _ values: [Matrix<Scalar>], _ passes: [Pass], _ gather: Gather<Failure>
  ) throws(Failure) {
    require(
      passes.count == workspaces.count, "ShardWorkspaces: \(passes.count) for \(workspaces.count) shards")
    defer { withExtendedLifetime((values, passes)) {} }
    for (workspace, pass) in zip(workspaces, passes) { workspace.begin(values, pass.inputs, pass.mode) }
    for (index, node) in nodes.enumerated() {
      if let operation = node.operation as? any BatchOperation<Scalar>, workspaces[0].mode.isTraining {
        try meet(operation, node, index, gather)
      } else {
        for workspace in workspaces { node.operation.forward(workspace.call(node, index)) }
      }
    }
    for (workspace, pass) in zip(workspaces, passes) { _ = workspace.compare(pass.labels) }
  }

  private func meet<Failure: Error>(
    _ operation: any BatchOperation<Scalar>, _ node: Node<Scalar>, _ index: Int, _ gather: Gather<Failure>
  ) throws(Failure) {
    let own = workspaces.map {
      [Double($0.sampleCount)] + operation.forwardNumbers($0.call(node, index))
    }
    let shards = try gather(own).map { BatchShard(samples: Int($0[0]), numbers: $0.dropFirst()) }
    for workspace in workspaces {
      workspace.batchSamples = shards.reduce(0) { $0 + $1.samples }
      operation.forward(workspace.call(node, index), shards)
    }
  }

  /// Backward passes on the last forward passes, with their labels; see ``Workspace/backward(_:into:_:)``.
  ///
  /// - Parameters:
  ///   - values: those of the forward passes.
  ///   - gradients: of each shard; overwritten with what its samples add to the gradient of its loss.
  ///   - parts: what is computed.
  ///   - gather: from all shards of the batch.
  public func backward<Failure: Error>(
    _ values: [Matrix<Scalar>], into gradients: inout [[Matrix<Scalar>]], _ parts: BackwardParts,
    _ gather: Gather<Failure>
  ) throws(Failure) {
    for workspace in workspaces { workspace.prepareOutputGradients() }
    try propagate(values, &gradients, parts, gather)
    for workspace in workspaces { workspace.hasCaptures = parts.contains(.captures) }
  }

  /// Captures of backward passes from labels drawn from the model; see ``Workspace/sampledCaptures(_:seed:firstSample:)``.
  ///
  /// - Parameters:
  ///   - values: those of the forward passes.
  ///   - seed: of the labels.
  ///   - firstSamples: the number of each shard's first sample in the batch.
  ///   - gather: from all shards of the batch.
  public func sampledCaptures<Failure: Error>(
    _ values: [Matrix<Scalar>], seed: UInt64, firstSamples: [Int], _ gather: Gather<Failure>
  ) throws(Failure) -> [Captures<Scalar, Sampled>] {
    for (workspace, first) in zip(workspaces, firstSamples) {
      workspace.drawLabels(seed: seed, firstSample: first)
    }
    var none = workspaces.map { _ in [Matrix<Scalar>]() }
    try propagate(values, &none, .captures, gather)
    return workspaces.map { Captures($0.captured($0.network.reduction.outputGradients)) }
  }

  private func propagate<Failure: Error>(
    _ values: [Matrix<Scalar>], _ targets: inout [[Matrix<Scalar>]], _ parts: BackwardParts,
    _ gather: Gather<Failure>
  ) throws(Failure) {
    defer { withExtendedLifetime((values, targets)) {} }
    for i in workspaces.indices { workspaces[i].beginBackward(values, &targets[i], parts) }
    for (index, node) in nodes.enumerated().reversed() where node.learns {
      if let operation = node.operation as? any BatchOperation<Scalar>, workspaces[0].mode.isTraining {
        try meetBackward(operation, node, index, parts, gather)
      } else {
        for workspace in workspaces { node.operation.backward(workspace.backwardCall(node, index, parts)) }
      }
    }
  }

  /// Gradients of the shards are on scales of their own, sums over shards on that of the sum of all losses.
  private func meetBackward<Failure: Error>(
    _ operation: any BatchOperation<Scalar>, _ node: Node<Scalar>, _ index: Int, _ parts: BackwardParts,
    _ gather: Gather<Failure>
  ) throws(Failure) {
    let own = workspaces.map { operation.backwardNumbers($0.backwardCall(node, index, parts)) }
    let scales = workspaces.map(\.scaleToSum)
    let all = try gather(zip(own, scales).map { numbers, scale in numbers.map { scale * $0 } })
    let sums = all.dropFirst().reduce(all[0]) { zip($0, $1).map(+) }
    for (i, workspace) in workspaces.enumerated() {
      operation.backward(
        workspace.backwardCall(node, index, parts), own: own[i], sums: sums.map { $0 / scales[i] })
    }
  }
}
