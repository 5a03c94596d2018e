import FisherCurvature
import FisherDistributed
import FisherLinearAlgebra
import FisherNetworks
import FisherOptimizers

// Sums over the ranks beside the passes. All ranks decide alike whether there are any: buckets are other messages than a
// whole sum is.

extension Trainer {
  /// Whether sums over the ranks go on beside computing, as all of them answer.
  ///
  /// - Throws: `CommunicationError`.
  static func overlaps(
    _ options: TrainingOptions, _ communicator: any Communicator
  ) throws(CommunicationError) -> Bool {
    guard communicator.size > 1, communicator.servesAnyThread else { return false }
    switch options.overlap {
    case .on: return true
    case .off: return false
    case .auto:
      if !communicator.spansMachines { return false }
      let isFree = RankEnvironment.leavesCore(threads: options.threads)
      return try !communicator.allGather([isFree ? 1 : 0]).contains(0)
    }
  }

  /// How sums go on beside computing; nil if they wait for its end.
  var overlap: ShardedBatch.Overlap? {
    sumsBesidePasses ? .init(thread: communicationThread, bucketBytes: options.bucketBytes) : nil
  }

  /// The same for the gradients of a batch: they are complete layer by layer where a shard is one pass.
  func gradientOverlap(_ cut: ShardedBatch) -> ShardedBatch.Overlap? {
    let most = options.microBatchSize ?? .max
    let passesOnce = cut.ranges.allSatisfy { $0.count <= most }
    return passesOnce && driver.needs.contains(.gradients) ? cut.overlap : nil
  }

  /// Passes over this rank's last shard, while the ranks add up: the losses after the forward pass, then gradients as
  /// the backward pass completes them, then running averages. The sums are in `gradients` and in the workspace afterwards.
  ///
  /// - Parameters:
  ///   - batch: the samples of this rank's shards.
  ///   - cut: which those are.
  ///   - shards: this rank's other shards; the last is appended.
  ///   - sum: of these.
  ///   - refusal: of one of these.
  ///   - overlap: what adds up.
  /// - Returns: the mean loss over all shards and its terms.
  func passLast(
    _ batch: Batch<Scalar>, _ cut: ShardedBatch, _ shards: inout [ShardPass<Scalar>], _ sum: ShardSum<Scalar>,
    _ refusal: StepRefusal?, beside overlap: ShardedBatch.Overlap
  ) throws(StepRefusal) -> (loss: Double, terms: Int) {
    let samples = cut.ranges[cut.own.upperBound - 1]
    var refusal = refusal
    if refusal == nil {
      var last = ShardPass<Scalar>()
      last.passes = [part(batch, samples, from: cut.ownSamples.lowerBound)]
      do {
        last.lossSum = try forward(last.passes[0], &last.outputs) * Double(workspace.termCount)
        last.terms = workspace.termCount
        shards.append(last)
      } catch { refusal = error }
    }
    let numbers = try lossNumbers(shards.map { ($0.lossSum, $0.terms) }, refusal, cut)
    // Before anything is added up all ranks know whether a loss is not finite.
    let mean = overlap.thread.run(else: (loss: Double.nan, terms: 0)) { [self] () throws(StepRefusal) in
      try meanLoss(numbers, cut)
    }
    if refusal == nil {
      try passBack(cut, &shards[shards.count - 1], sum, beside: overlap)
    } else {
      try overlap.thread.wait()
    }
    return mean.answer
  }

  private func passBack(
    _ cut: ShardedBatch, _ last: inout ShardPass<Scalar>, _ sum: ShardSum<Scalar>,
    beside overlap: ShardedBatch.Overlap
  ) throws(StepRefusal) {
    var averages = movesStatistics ? workspace.statistics : []
    let count = (averages + gradients).reduce(0) { $0 + $1.count }
    let sums = OverlappedSum(
      sum, count: count, toMean: workspace.scaleToMean,
      weight: Double(last.terms) / Double(cut.sampleCount * network.output.positions), on: overlap.thread,
      bucketBytes: overlap.bucketBytes)
    workspace.backward(values, into: &gradients, backwardParts) { sums.add($0) }
    if let captures = workspace.captures { last.captures.append(captures) }
    workspace.updateStatistics()
    if movesStatistics { averages = workspace.statistics }
    try sums.finish(
      &averages, weight: Double(cut.ranges[cut.own.upperBound - 1].count) / Double(cut.sampleCount))
    if movesStatistics { workspace.statistics = averages }
  }
}
