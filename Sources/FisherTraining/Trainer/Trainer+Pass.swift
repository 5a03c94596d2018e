import FisherCurvature
import FisherDistributed
import FisherLinearAlgebra
import FisherNetworks
import FisherOptimizers

/// What came of a shard's passes, beside its gradients.
struct ShardPass<Scalar: KernelScalar> {
  var passes: [BatchObjective<Scalar>.Pass] = []
  var captures: [Captures<Scalar, Empirical>] = []
  var outputs: [OutputGradients<Scalar>] = []
  /// Σ loss × terms over the micro-batches, and Σ terms.
  var lossSum = 0.0
  var terms = 0
}

extension Trainer {
  /// Forward and backward passes over a batch: each rank its shards, each shard in micro-batches if the options say so.
  ///
  /// The mean gradients of the whole batch are in `gradients` afterwards, if the step needs them.
  ///
  /// - Parameters:
  ///   - batch: the samples of this rank's shards.
  ///   - cut: which those are.
  func pass(_ batch: Batch<Scalar>, _ cut: ShardedBatch) throws(StepRefusal) -> BatchObjective<Scalar> {
    if cut.isWhole { return objective([try pass(batch, cut.ranges[0], from: 0)], cut, loss: nil) }
    if passesTogether { return try passTogether(batch, cut) }
    let expected = Double(cut.sampleCount * network.output.positions)
    let statistics = workspace.statistics
    var shards: [ShardPass<Scalar>] = []
    var sum = ShardSum<Scalar>(cut)
    var refusal: StepRefusal?
    let overlap = gradientOverlap(cut)
    for number in cut.own.dropLast(overlap == nil ? 0 : 1) where refusal == nil {
      workspace.statistics = statistics
      do {
        shards.append(try pass(batch, cut.ranges[number], from: cut.ownSamples.lowerBound))
        if number < cut.own.upperBound - 1 {
          sum.add(addends(number, shards[shards.count - 1], expected, cut))
        }
      } catch { refusal = error }
    }
    let (loss, terms): (Double, Int)
    if let overlap {
      workspace.statistics = statistics
      (loss, terms) = try passLast(batch, cut, &shards, sum, refusal, beside: overlap)
    } else {
      (loss, terms) = try meanLoss(shards.map { ($0.lossSum, $0.terms) }, refusal, cut)
      try takeTotal(
        sum, adding: addends(cut.own.upperBound - 1, shards[shards.count - 1], expected, cut))
    }
    // Rows without a label are no terms of the mean.
    scaleGradients(by: expected / Double(terms))
    if !movesStatistics { workspace.statistics = statistics }
    return objective(shards, cut, loss: (loss, terms))
  }

  var movesStatistics: Bool { !options.freezesStatistics }

  /// What a shard whose pass has just ended adds to running averages and gradients. Averages that do not move keep their
  /// bits.
  private func addends(
    _ number: Int, _ shard: ShardPass<Scalar>, _ expected: Double, _ cut: ShardedBatch
  ) -> ShardSum<Scalar>.Lists {
    [
      (
        movesStatistics ? workspace.statistics : [],
        Double(cut.ranges[number].count) / Double(cut.sampleCount)
      ),
      (driver.needs.contains(.gradients) ? gradients : [], Double(shard.terms) / expected),
    ]
  }

  /// The sums over all shards become gradients and running averages.
  ///
  /// - Parameter lists: of this rank's last shard, running averages first.
  func takeTotal(
    _ sum: consuming ShardSum<Scalar>, adding lists: consuming ShardSum<Scalar>.Lists
  ) throws(StepRefusal) {
    let hasGradients = !lists[1].matrices.isEmpty
    // Out of the trainer for that time, so that nobody shares them.
    if hasGradients { gradients = [] }
    defer {
      if hasGradients { gradients = lists[1].matrices }
      if !lists[0].matrices.isEmpty { workspace.statistics = lists[0].matrices }
    }
    try sum.total(&lists)
  }

  private func scaleGradients(by factor: Double) {
    if factor == 1 || !driver.needs.contains(.gradients) { return }
    for i in gradients.indices { scal(alpha: Scalar(factor), &gradients[i], on: workspace.backend) }
  }

  /// The mean loss over all shards and its terms.
  ///
  /// - Parameters:
  ///   - own: Σ loss × terms and Σ terms of this rank's shards; fewer if one was refused.
  ///   - refusal: of this rank's last shard.
  /// - Throws: the same refusal on every rank if a loss is not finite.
  func meanLoss(
    _ own: [(lossSum: Double, terms: Int)], _ refusal: StepRefusal?, _ cut: ShardedBatch
  ) throws(StepRefusal) -> (loss: Double, terms: Int) {
    try meanLoss(try lossNumbers(own, refusal, cut), cut)
  }

  /// What a rank tells the others of its losses: three numbers a shard.
  func lossNumbers(
    _ own: [(lossSum: Double, terms: Int)], _ refusal: StepRefusal?, _ cut: ShardedBatch
  ) throws(StepRefusal) -> [Double] {
    let layers = network.parameters.compactMap(\.layer)
    var numbers: [Double] = own.flatMap { [$0.lossSum, Double($0.terms), -1] }
    if case .nonFiniteLoss(let loss, let layer)? = refusal {
      numbers += [loss, 0, Double(layer.flatMap { layers.firstIndex(of: $0) } ?? -1)]
    } else if let refusal {
      throw refusal
    }
    return numbers + [Double](repeating: 0, count: 3 * cut.own.count - numbers.count)
  }

  /// The same as ``meanLoss(_:_:_:)``, given this rank's numbers.
  func meanLoss(_ numbers: [Double], _ cut: ShardedBatch) throws(StepRefusal) -> (loss: Double, terms: Int) {
    let layers = network.parameters.compactMap(\.layer)
    let all = try cut.gathered(numbers) { _ in 3 }
    for i in stride(from: 0, to: all.count, by: 3) where !all[i].isFinite {
      throw .nonFiniteLoss(all[i], layer: all[i + 2] < 0 ? nil : layers[Int(all[i + 2])])
    }
    let sums = stride(from: 0, to: all.count, by: 3).map { all[$0] }
    let terms = stride(from: 1, to: all.count, by: 3).reduce(0) { $0 + Int(all[$1]) }
    return (cut.tree.sum(sums) / Double(terms), terms)
  }

  /// What the optimizer may ask, with the captures of all shards.
  func objective(
    _ shards: [ShardPass<Scalar>], _ cut: ShardedBatch, loss: (loss: Double, terms: Int)?,
    together: ShardWorkspaces<Scalar>? = nil
  ) -> BatchObjective<Scalar> {
    let captures =
      shards.allSatisfy { !$0.captures.isEmpty }
      ? shards.map { Captures(concatenating: $0.captures, on: workspace.backend) } : nil
    let outputs =
      shards.allSatisfy { !$0.outputs.isEmpty }
      ? shards.map { OutputGradients(concatenating: $0.outputs) } : nil
    let (mean, terms) = loss ?? (shards[0].lossSum / Double(shards[0].terms), shards[0].terms)
    return BatchObjective(
      loss: mean, sampleCount: terms, captures: captures, outputGradients: outputs,
      shards: shards.map(\.passes), cut: cut,
      sharing: communicator.size > 1 ? RankSharing(communicator: communicator) : nil, workspace: workspace,
      together: together, values: values, seed: maskSeed)
  }

  /// Passes over some samples, in micro-batches if the options say so. Their mean gradients are in `gradients` afterwards,
  /// if the step needs them.
  ///
  /// - Parameters:
  ///   - batch: these samples among others.
  ///   - samples: their numbers in the whole batch.
  ///   - first: the number of the first sample of `batch`.
  private func pass(
    _ batch: Batch<Scalar>, _ samples: Range<Int>, from first: Int
  ) throws(StepRefusal) -> ShardPass<Scalar> {
    let size = min(options.microBatchSize ?? .max, samples.count)
    var result = ShardPass<Scalar>()
    var accumulator = GradientAccumulator<Scalar>()
    for start in stride(from: samples.lowerBound, to: samples.upperBound, by: size) {
      let part = part(batch, start..<min(samples.upperBound, start + size), from: first)
      result.passes.append(part)
      let loss = try send(part, &result.outputs)
      result.lossSum += loss * Double(workspace.termCount)
      result.terms += workspace.termCount
      if size < samples.count && driver.needs.contains(.gradients) {
        accumulator.add(gradients, count: workspace.termCount, on: workspace.backend)
      }
      if let part = workspace.captures { result.captures.append(part) }
    }
    if accumulator.sampleCount > 0 { gradients = accumulator.take() }
    return result
  }

  /// The mean loss; the gradients of the mean are in `gradients` if the step needs them, those by the outputs are
  /// appended.
  private func send(
    _ pass: BatchObjective<Scalar>.Pass, _ outputs: inout [OutputGradients<Scalar>]
  ) throws(StepRefusal) -> Double {
    let loss = try forward(pass, &outputs)
    workspace.backward(values, into: &gradients, backwardParts)
    let toMean = workspace.scaleToMean
    if toMean != 1 && driver.needs.contains(.gradients) {
      for i in gradients.indices { scal(alpha: Scalar(toMean), &gradients[i], on: workspace.backend) }
    }
    workspace.updateStatistics()
    return loss
  }

  /// What goes forward at once.
  ///
  /// - Parameters:
  ///   - batch: these samples among others.
  ///   - samples: their numbers in the whole batch.
  ///   - first: the number of the first sample of `batch`.
  func part(
    _ batch: Batch<Scalar>, _ samples: Range<Int>, from first: Int
  ) -> BatchObjective<Scalar>.Pass {
    BatchObjective.Pass(
      batch: batch.samples(samples.lowerBound - first..<samples.upperBound - first),
      firstSample: samples.lowerBound,
      mode: options.freezesStatistics
        ? .evaluation : .training(seed: maskSeed &+ UInt64(samples.lowerBound)))
  }

  /// The mean loss of a forward pass; the gradients by the outputs are appended if the step needs them.
  func forward(
    _ pass: BatchObjective<Scalar>.Pass, _ outputs: inout [OutputGradients<Scalar>]
  ) throws(StepRefusal) -> Double {
    let loss = workspace.forward(values, pass.batch.inputs, pass.batch.labels, mode: pass.mode)
    if !loss.isFinite { throw .nonFiniteLoss(loss, layer: firstNonFiniteLayer(in: workspace)) }
    if driver.needs.contains(.logitGradients) {
      workspace.prepareOutputGradients()
      if let gradients = workspace.outputGradients { outputs.append(gradients) }
    }
    return loss * workspace.scaleToMean
  }

  /// What the step wants of a backward pass.
  var backwardParts: BackwardParts {
    let parts: BackwardParts = driver.needs.isDisjoint(with: .captures) ? [] : .captures
    return driver.needs.contains(.gradients) ? parts.union(.gradients) : parts
  }

  /// The first layer whose outputs are not all finite: the last one, in the order of the parameters, that got finite
  /// inputs.
  func firstNonFiniteLayer(in workspace: Workspace<Scalar>) -> String? {
    var scratch = network.zeros()
    workspace.backward(values, into: &scratch, .captures)
    let layers = workspace.captures?.layers ?? [:]
    var last: String?
    for layer in network.parameters.compactMap(\.layer) {
      guard let inputs = layers[layer]?.inputs, inputs.array.allSatisfy(\.isFinite) else { break }
      last = layer
    }
    return last
  }
}
