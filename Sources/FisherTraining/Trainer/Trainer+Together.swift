import FisherCurvature
import FisherLinearAlgebra
import FisherNetworks
import FisherOptimizers

extension Trainer {
  /// The shards of a batch pass beside one another, because batch norms see all of it.
  var passesTogether: Bool {
    options.normsSeeWholeBatch && options.shards > 1 && !options.freezesStatistics
      && !network.statisticNames.isEmpty
  }

  /// ``pass(_:_:)`` for batch norms that see the whole batch.
  ///
  /// - Parameters:
  ///   - batch: the samples of this rank's shards.
  ///   - cut: which those are.
  func passTogether(_ batch: Batch<Scalar>, _ cut: ShardedBatch) throws(StepRefusal) -> BatchObjective<Scalar>
  {
    let passes = cut.own.map { number in
      let (samples, first) = (cut.ranges[number], cut.ownSamples.lowerBound)
      return BatchObjective.Pass(
        batch: batch.samples(samples.lowerBound - first..<samples.upperBound - first),
        firstSample: samples.lowerBound, mode: .training(seed: maskSeed &+ UInt64(samples.lowerBound)))
    }
    var (shardWorkspaces, shardGradients) = takeTogether(passes.count)
    defer { together = (shardWorkspaces, shardGradients) }
    let workspaces = shardWorkspaces.workspaces
    for each in workspaces { each.statistics = workspace.statistics }
    try shardWorkspaces.forward(
      values, passes.map { .init($0.batch.inputs, $0.batch.labels, mode: $0.mode) }, cut.gatherShards)
    let (loss, terms) = try meanLoss(workspaces, cut)
    let outputs = outputGradients(workspaces)
    try shardWorkspaces.backward(values, into: &shardGradients, backwardParts, cut.gatherShards)
    if driver.needs.contains(.gradients) {
      var sum = ShardSum<Scalar>(cut)
      let shares = workspaces.map { $0.scaleToMean * Double($0.termCount) / Double(terms) }
      let last = shares.count - 1
      for i in 0..<last { sum.add([([], 0), (shardGradients[i], shares[i])]) }
      swap(&gradients, &shardGradients[last])
      try takeTotal(sum, adding: [([], 0), (gradients, shares[last])])
    }
    // All shards have seen the same batch.
    workspaces[0].updateStatistics()
    workspace.statistics = workspaces[0].statistics
    let shards = workspaces.indices.map { i in
      ShardPass(
        passes: [passes[i]], captures: workspaces[i].captures.map { [$0] } ?? [],
        outputs: outputs.isEmpty ? [] : [outputs[i]])
    }
    return objective(shards, cut, loss: (loss, terms), together: shardWorkspaces)
  }

  private func takeTogether(
    _ count: Int
  ) -> (workspaces: ShardWorkspaces<Scalar>, gradients: [[Matrix<Scalar>]]) {
    defer { together = nil }
    if let together, together.gradients.count == count { return together }
    return (
      ShardWorkspaces(count, of: network, on: workspace.backend, threads: options.threads),
      (0..<count).map { _ in network.zeros() }
    )
  }

  private func outputGradients(_ workspaces: [Workspace<Scalar>]) -> [OutputGradients<Scalar>] {
    if !driver.needs.contains(.logitGradients) { return [] }
    return workspaces.compactMap { each in
      each.prepareOutputGradients()
      return each.outputGradients
    }
  }

  /// The mean loss over all shards and its terms; the same refusal on every rank if one is not finite.
  private func meanLoss(
    _ workspaces: [Workspace<Scalar>], _ cut: ShardedBatch
  ) throws(StepRefusal) -> (loss: Double, terms: Int) {
    var sums: [(lossSum: Double, terms: Int)] = []
    var refusal: StepRefusal?
    for each in workspaces where refusal == nil {
      let loss = each.loss
      if loss.isFinite {
        sums.append((loss * each.scaleToMean * Double(each.termCount), each.termCount))
      } else {
        refusal = .nonFiniteLoss(loss, layer: firstNonFiniteLayer(in: each))
      }
    }
    return try meanLoss(sums, refusal, cut)
  }
}
