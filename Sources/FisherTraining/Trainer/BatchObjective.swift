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
  let captures: Captures<Scalar, Empirical>?
  let outputGradients: OutputGradients<Scalar>?
  /// What went forward, one after the other, for each of this rank's shards.
  private let shards: [[Pass]]
  private let cut: ShardedBatch
  private let workspace: Workspace<Scalar>
  private let seed: UInt64
  private var values: [Matrix<Scalar>]
  private var draws: UInt64 = 0

  init(
    loss: Double, sampleCount: Int, captures: Captures<Scalar, Empirical>?,
    outputGradients: OutputGradients<Scalar>?, shards: [[Pass]], cut: ShardedBatch,
    workspace: Workspace<Scalar>, values: [Matrix<Scalar>], seed: UInt64
  ) {
    self.loss = loss
    self.sampleCount = sampleCount
    self.captures = captures
    self.outputGradients = outputGradients
    self.shards = shards
    self.cut = cut
    self.workspace = workspace
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

  private var isInWorkspace: Bool { shards.count == 1 && shards[0].count == 1 }

  /// The same labels are drawn however the batch was cut.
  func sampledCaptures() throws(StepRefusal) -> Captures<Scalar, Sampled> {
    draws += 1
    let own = replayed { workspace.sampledCaptures(values, seed: seed &+ draws, firstSample: $0.firstSample) }
    return try cut.gathered(
      own.map { Captures(concatenating: $0, on: workspace.backend) }, on: workspace.backend)
  }

  /// Rows of the exact Fisher matrix's root for which there is memory: four square matrices of them in `Double` are 2 GiB.
  private static var mostExactRows: Int { 8192 }

  func exactFisher() throws(StepRefusal) -> ExactFisher<Scalar> {
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
    if isInWorkspace && cut.isWhole { return workspace.loss(at: values) * workspace.scaleToMean }
    var numbers: [Double] = []
    for passes in shards {
      var (sum, terms) = (0.0, 0)
      for pass in passes {
        let loss =
          (isInWorkspace ? workspace.loss(at: values) : forward(pass, values)) * workspace.scaleToMean
        sum += loss * Double(workspace.termCount)
        terms += workspace.termCount
      }
      numbers += [sum, Double(terms)]
    }
    let all = try cut.gathered(numbers) { _ in 2 }
    let places = stride(from: 0, to: all.count, by: 2)
    return cut.tree.sum(places.map { all[$0] }) / places.reduce(0) { $0 + all[$1 + 1] }
  }

  func captures(
    at values: [String: Matrix<Scalar>]
  ) throws(StepRefusal) -> Captures<Scalar, Empirical> {
    let all = zip(workspace.network.parameters, self.values).map { values[$0.name] ?? $1 }
    let own = shards.map { passes in
      let parts = passes.map { pass in
        if isInWorkspace { return workspace.captures(at: all) }
        _ = forward(pass, all)
        return workspace.labelledCaptures(all)
      }
      return Captures(concatenating: parts, on: workspace.backend)
    }
    return try cut.gathered(own, on: workspace.backend)
  }

  func hessianProduct(
    along direction: [String: Matrix<Scalar>]
  ) throws(StepRefusal) -> [String: Matrix<Scalar>] {
    let network = workspace.network
    if let layer = network.layersWithoutSecondDerivatives.first {
      throw .failed(
        optimizer: "products of the Hessian", place: layer, reason: "the layer has no second derivatives")
    }
    let v = network.parameters.map { direction[$0.name] ?? Matrix(rows: $0.rows, columns: $0.columns) }
    let own = replayed { _ in (product: meanHessianProduct(v), terms: workspace.termCount) }
    let means = own.map { parts in
      var accumulator = GradientAccumulator<Scalar>()
      for part in parts { accumulator.add(part.product, count: part.terms, on: workspace.backend) }
      return (product: accumulator.take(), terms: parts.reduce(0) { $0 + $1.terms })
    }
    var total = means[0].product
    if !cut.isWhole {
      var sum = ShardSum<Scalar>(cut)
      for mean in means { sum.add([(mean.product, Double(mean.terms) / Double(sampleCount))]) }
      total = try sum.total()
    }
    return Dictionary(uniqueKeysWithValues: zip(network.parameters.map(\.name), total))
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

  /// What the body makes of each pass of each of this rank's shards in the workspace.
  private func replayed<Part>(_ body: (Pass) -> Part) -> [[Part]] {
    shards.map { passes in
      passes.map { pass in
        if !isInWorkspace { _ = forward(pass, values) }
        return body(pass)
      }
    }
  }

  private func forward(_ pass: Pass, _ values: [Matrix<Scalar>]) -> Double {
    workspace.forward(values, pass.batch.inputs, pass.batch.labels, mode: pass.mode)
  }
}
