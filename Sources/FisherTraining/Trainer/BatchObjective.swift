import FisherCurvature
import FisherLinearAlgebra
import FisherNetworks
import FisherOptimizers

/// The batch, as an optimizer may ask it again.
///
/// A rank that has one pass still has it in the workspace. A batch that was cut further is sent forward again, part by
/// part: that takes another forward pass for every question. Each rank asks its own shards, and the answers are those of
/// the whole batch.
final class BatchObjective<Scalar: KernelScalar>: Objective {
  let loss: Double
  let sampleCount: Int
  /// Of each of this rank's shards; nil unless the step's needs asked for them.
  private let ownCaptures: [Captures<Scalar, Empirical>]?
  private let ownOutputs: [OutputGradients<Scalar>]?
  /// The ranks of the run, also where a batch is one shard.
  let sharing: (any WorkSharing)?
  private(set) var interruption: StepRefusal?
  /// What went forward, one after the other, for each of this rank's shards.
  private let shards: [[Pass]]
  private let cut: ShardedBatch
  private let workspace: Workspace<Scalar>
  /// Where the shards have passed beside one another, if they have.
  private let together: ShardWorkspaces<Scalar>?
  private let seed: UInt64
  private var values: [Matrix<Scalar>]
  private var draws: UInt64 = 0

  init(
    loss: Double, sampleCount: Int, captures: [Captures<Scalar, Empirical>]?,
    outputGradients: [OutputGradients<Scalar>]?, shards: [[Pass]], cut: ShardedBatch,
    sharing: (any WorkSharing)?, workspace: Workspace<Scalar>, together: ShardWorkspaces<Scalar>? = nil,
    values: [Matrix<Scalar>], seed: UInt64
  ) {
    self.loss = loss
    self.sampleCount = sampleCount
    ownCaptures = captures
    ownOutputs = outputGradients
    self.sharing = sharing
    self.shards = shards
    self.cut = cut
    self.workspace = workspace
    self.together = together
    self.values = values
    self.seed = seed
  }

  /// A forward pass with labels.
  struct Pass {
    let batch: Batch<Scalar>
    /// The number of its first sample in the whole batch.
    let firstSample: Int
    let mode: PassMode
  }

  /// The rows of all shards: sent when somebody asks for them.
  private(set) lazy var captures: Captures<Scalar, Empirical>? = ownCaptures.flatMap { own in
    answer { () throws(StepRefusal) in try cut.gathered(own, on: workspace.backend) }
  }

  private(set) lazy var outputGradients: OutputGradients<Scalar>? = ownOutputs.flatMap { own in
    answer { () throws(StepRefusal) in try cut.gathered(own) }
  }

  /// Nil, and a reason to refuse the step, if the ranks cannot go on.
  private func answer<Answer>(_ body: () throws(StepRefusal) -> Answer) -> Answer? {
    do { return try body() } catch {
      interruption = error
      return nil
    }
  }

  var shardedCaptures: ShardedCaptures<Scalar>? {
    ownCaptures.map { own in
      sharded(own.indices.map { .init(own[$0].layers, outputs: ownOutputs?[$0]) })
    }
  }

  func sampledShardedCaptures() throws(StepRefusal) -> ShardedCaptures<Scalar> {
    sharded(try drawn().map { .init($0.layers) })
  }

  private func sharded(_ own: [ShardedCaptures<Scalar>.Shard]) -> ShardedCaptures<Scalar> {
    cut.isWhole
      ? ShardedCaptures(whole: own[0])
      : ShardedCaptures(own: own, samples: cut.sampleCount, terms: Double(sampleCount), sums: cut)
  }

  func sampledCaptures() throws(StepRefusal) -> Captures<Scalar, Sampled> {
    try cut.gathered(try drawn(), on: workspace.backend)
  }

  /// Of each of this rank's shards. The same labels are drawn however the batch was cut.
  private func drawn() throws(StepRefusal) -> [Captures<Scalar, Sampled>] {
    draws += 1
    if let together {
      return try together.sampledCaptures(
        values, seed: seed &+ draws, firstSamples: shards.map { $0[0].firstSample }, cut.gatherShards)
    }
    return replayed { workspace.sampledCaptures(values, seed: seed &+ draws, firstSample: $0.firstSample) }
      .map { Captures(concatenating: $0, on: workspace.backend) }
  }

  /// Rows of the exact Fisher matrix's root for which there is memory: four square matrices of them in `Double` are 2 GiB.
  private static var mostExactRows: Int { 8192 }

  func exactFisher() throws(StepRefusal) -> ExactFisher<Scalar> {
    try requireApart("the exact Fisher matrix")
    let (samples, outputs) = (cut.sampleCount, workspace.network.output.count)
    if samples * outputs > Self.mostExactRows {
      let most = Self.mostExactRows / outputs
      throw .failed(
        optimizer: "the exact Fisher matrix", place: "\(samples) samples of \(outputs) outputs",
        reason: "a root with \(samples * outputs) rows, of at most \(Self.mostExactRows); "
          + (most > 0 ? "set a batch of at most \(most)" : "the network has too many outputs"))
    }
    let own = replayed { _ in workspace.exactFisher(values) }
    return try cut.gathered(
      own.map { ExactFisher(concatenating: $0, on: workspace.backend) }, on: workspace.backend)
  }

  func loss(at values: [Matrix<Scalar>]) throws(StepRefusal) -> Double {
    try requireApart("the loss at other weights")
    let own = each(
      { (workspace.loss(at: values) * workspace.scaleToMean, workspace.termCount) },
      else: { (forward($0, values) * workspace.scaleToMean, workspace.termCount) })
    if cut.isWhole && own[0].count == 1 { return own[0][0].0 }
    let numbers = own.flatMap { parts in
      parts.reduce(into: [0.0, 0.0]) { sums, part in
        sums[0] += part.0 * Double(part.1)
        sums[1] += Double(part.1)
      }
    }
    let all = try cut.gathered(numbers) { _ in 2 }
    let places = stride(from: 0, to: all.count, by: 2)
    return cut.tree.sum(places.map { all[$0] }) / places.reduce(0) { $0 + all[$1 + 1] }
  }

  func captures(
    at values: [String: Matrix<Scalar>]
  ) throws(StepRefusal) -> Captures<Scalar, Empirical> {
    try requireApart("the captures at other weights")
    let all = zip(workspace.network.parameters, self.values).map { values[$0.name] ?? $1 }
    let own = each(
      { workspace.captures(at: all) },
      else: {
        _ = forward($0, all)
        return workspace.labelledCaptures(all)
      })
    return try cut.gathered(
      own.map { Captures(concatenating: $0, on: workspace.backend) }, on: workspace.backend)
  }

  func hessianProduct(
    along direction: [String: Matrix<Scalar>]
  ) throws(StepRefusal) -> [String: Matrix<Scalar>] {
    try requireApart("a product of the Hessian")
    let v = try workspace.network.hessianDirection(direction)
    let own = replayed { _ in (product: meanHessianProduct(v), terms: workspace.termCount) }
    let means = own.map { parts in
      var accumulator = GradientAccumulator<Scalar>()
      for part in parts { accumulator.add(part.product, count: part.terms, on: workspace.backend) }
      return (product: accumulator.take(), terms: parts.reduce(0) { $0 + $1.terms })
    }
    var total = means[0].product
    if !cut.isWhole {
      var sum = ShardSum<Scalar>(cut)
      let lists = means.map { [(matrices: $0.product, weight: Double($0.terms) / Double(sampleCount))] }
      for list in lists.dropLast() { sum.add(list) }
      var last = lists[lists.count - 1]
      try sum.total(&last)
      total = last[0].matrices
    }
    return workspace.network.named(total)
  }

  /// Of the mean loss of the pass in the workspace.
  private func meanHessianProduct(_ v: [Matrix<Scalar>]) -> [Matrix<Scalar>] {
    var products = workspace.network.zeros()
    workspace.hessianProduct(values, along: v, into: &products)
    let toMean = workspace.scaleToMean
    for i in products.indices where toMean != 1 {
      scal(alpha: Scalar(toMean), &products[i], on: workspace.backend)
    }
    return products
  }

  func planningEnded() { values = [] }

  /// What is asked again goes forward shard by shard, which batch norms of the whole batch cannot.
  private func requireApart(_ what: String) throws(StepRefusal) {
    if together == nil { return }
    throw .failed(
      optimizer: what, place: "a batch of \(cut.ranges.count) shards",
      reason: "batch norms see the whole batch; one shard, or batch norms that see theirs, would do")
  }

  /// What the body makes of each pass of each of this rank's shards in the workspace.
  private func replayed<Part>(_ body: (Pass) -> Part) -> [[Part]] {
    each(
      { body(shards[0][0]) },
      else: {
        _ = forward($0, values)
        return body($0)
      })
  }

  /// For each pass of each of this rank's shards: what is made of the only one, which still is in the workspace, or of one
  /// that was followed by others.
  private func each<Part>(_ only: () -> Part, else again: (Pass) -> Part) -> [[Part]] {
    if shards.count == 1 && shards[0].count == 1 { return [[only()]] }
    return shards.map { $0.map(again) }
  }

  private func forward(_ pass: Pass, _ values: [Matrix<Scalar>]) -> Double {
    workspace.forward(values, pass.batch.inputs, pass.batch.labels, mode: pass.mode)
  }
}
