import FisherCurvature
import FisherLinearAlgebra
import FisherNetworks
import FisherOptimizers

/// The batch in the workspace, as an optimizer may ask it again.
///
/// A batch that was cut into micro-batches is sent forward again, part by part: that takes another forward pass for
/// every question, and the answers are those of the whole batch.
final class BatchObjective<Scalar: KernelScalar>: Objective {
  let loss: Double
  let sampleCount: Int
  let captures: Captures<Scalar, Empirical>?
  let outputGradients: OutputGradients<Scalar>?
  /// What went forward, one after the other; a single one is still in the workspace.
  private let passes: [Pass]
  private let workspace: Workspace<Scalar>
  private let seed: UInt64
  private var values: [Matrix<Scalar>]
  private var draws: UInt64 = 0

  init(
    loss: Double, sampleCount: Int, captures: Captures<Scalar, Empirical>?,
    outputGradients: OutputGradients<Scalar>?, passes: [Pass], workspace: Workspace<Scalar>,
    values: [Matrix<Scalar>], seed: UInt64
  ) {
    self.loss = loss
    self.sampleCount = sampleCount
    self.captures = captures
    self.outputGradients = outputGradients
    self.passes = passes
    self.workspace = workspace
    self.values = values
    self.seed = seed
  }

  /// A forward pass with labels.
  struct Pass {
    let batch: Batch<Scalar>
    let mode: PassMode
  }

  /// The same labels are drawn however the batch was cut.
  func sampledCaptures() throws(StepRefusal) -> Captures<Scalar, Sampled> {
    draws += 1
    return Captures(
      concatenating: replayed { first in
        workspace.sampledCaptures(values, seed: seed &+ draws, firstSample: first)
      }, on: workspace.backend)
  }

  /// Rows of the exact Fisher matrix's root for which there is memory: four square matrices of them in `Double` are 2 GiB.
  private static var mostExactRows: Int { 8192 }

  func exactFisher() throws(StepRefusal) -> ExactFisher<Scalar> {
    let (samples, outputs) = (passes.reduce(0) { $0 + $1.batch.inputs.rows }, workspace.network.output.count)
    if samples * outputs > Self.mostExactRows {
      let most = Self.mostExactRows / outputs
      throw .failed(
        optimizer: "the exact Fisher matrix", place: "\(samples) samples of \(outputs) outputs",
        reason: "a root with \(samples * outputs) rows, of at most \(Self.mostExactRows); "
          + (most > 0 ? "set a batch of at most \(most)" : "the network has too many outputs"))
    }
    return ExactFisher(concatenating: replayed { _ in workspace.exactFisher(values) }, on: workspace.backend)
  }

  func loss(at values: [Matrix<Scalar>]) throws(StepRefusal) -> Double {
    if passes.count == 1 { return workspace.loss(at: values) * workspace.scaleToMean }
    var (sum, terms) = (0.0, 0)
    for pass in passes {
      let loss = forward(pass, values) * workspace.scaleToMean
      sum += loss * Double(workspace.termCount)
      terms += workspace.termCount
    }
    return sum / Double(terms)
  }

  func captures(
    at values: [String: Matrix<Scalar>]
  ) throws(StepRefusal) -> Captures<Scalar, Empirical> {
    let all = zip(workspace.network.parameters, self.values).map { values[$0.name] ?? $1 }
    if passes.count == 1 { return workspace.captures(at: all) }
    let parts = passes.map { pass in
      _ = forward(pass, all)
      return workspace.labelledCaptures(all)
    }
    return Captures(concatenating: parts, on: workspace.backend)
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
    var accumulator = GradientAccumulator<Scalar>()
    _ = replayed { _ in
      var products = network.zeros()
      workspace.hessianProduct(values, along: v, into: &products)
      let toMean = workspace.scaleToMean
      for i in products.indices where toMean != 1 {
        scal(alpha: Scalar(toMean), &products[i], on: workspace.backend)
      }
      accumulator.add(products, count: workspace.termCount, on: workspace.backend)
    }
    return Dictionary(uniqueKeysWithValues: zip(network.parameters.map(\.name), accumulator.take()))
  }

  func planningEnded() { values = [] }

  /// What the body, which gets the number of the first sample, makes of each pass in the workspace.
  private func replayed<Part>(_ body: (Int) -> Part) -> [Part] {
    if passes.count == 1 { return [body(0)] }
    var first = 0
    return passes.map { pass in
      _ = forward(pass, values)
      defer { first += pass.batch.inputs.rows }
      return body(first)
    }
  }

  private func forward(_ pass: Pass, _ values: [Matrix<Scalar>]) -> Double {
    workspace.forward(values, pass.batch.inputs, pass.batch.labels, mode: pass.mode)
  }
}
