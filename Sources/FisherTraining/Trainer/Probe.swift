import FisherCurvature
import FisherDistributed
public import FisherLinearAlgebra
import FisherNetworks
public import FisherOptimizers

/// A batch at some weights of a run, to be looked at and not trained on: what would an optimizer do, and how good is it?
///
/// The network is as it is tested, so every sample has a gradient of its own.
public final class Probe<Scalar: KernelScalar> {
  private let workspace: Workspace<Scalar>
  private let values: [Matrix<Scalar>]
  private let registry: OptimizerRegistry
  private let loss: Double
  private let pass: BatchObjective<Scalar>.Pass
  private let seed: UInt64

  init(
    _ workspace: Workspace<Scalar>, _ values: [Matrix<Scalar>], _ batch: Batch<Scalar>,
    registry: OptimizerRegistry, seed: UInt64
  ) {
    self.workspace = workspace
    self.values = values
    self.registry = registry
    self.seed = seed
    pass = BatchObjective.Pass(batch: batch, firstSample: 0, mode: .evaluation)
    loss = workspace.forward(values, batch.inputs, batch.labels, mode: pass.mode) * workspace.scaleToMean
  }

  /// What an optimizer would subtract from the weights.
  ///
  /// - Parameters:
  ///   - optimizer: with its settings.
  ///   - past: steps that it has seen before, of the same batch at the same weights: so many gradients are in its averages, and
  ///     what it computes now and then is there. None by default.
  ///   - layer: if given, only the parameters of this layer are updated: a method sees its block alone.
  ///   - watch: called with the seconds of each step, passes included.
  /// - Throws: `StepRefusal` if it refuses a step.
  public func direction(
    of optimizer: any Optimizer, past: Int = 0, layer: String? = nil, watch: (Double) -> Void = { _ in }
  ) throws -> [Matrix<Scalar>] {
    let all = workspace.network.parameters
    let places = all.indices.filter { layer == nil || all[$0].layer == layer }
    var driver = try OptimizerDriver<Scalar>(
      optimizer, parameters: places.map { all[$0] }, registry: registry, backend: workspace.backend,
      threads: workspace.threads)
    var moved = places.map { values[$0] }
    for _ in 0...past {
      let clock = ContinuousClock()
      let start = clock.now
      moved = places.map { values[$0] }
      try step(&driver, &moved, places)
      let time = (clock.now - start).components
      watch(Double(time.seconds) + 1e-18 * Double(time.attoseconds))
    }
    return zip(places, moved).map { place, new in
      var Δ = values[place]
      axpy(alpha: -1, new, into: &Δ)
      return Δ
    }
  }

  /// The direction of each layer as if it were alone: of the exact natural gradient, that of the block-diagonal matrix.
  ///
  /// The parameters are those of ``direction(of:past:layer:watch:)``.
  ///
  /// - Throws: `StepRefusal` if a step is refused.
  public func layerwiseDirection(
    of optimizer: any Optimizer, past: Int = 0, watch: (Double) -> Void = { _ in }
  ) throws -> [Matrix<Scalar>] {
    let all = workspace.network.parameters
    var Δ = workspace.network.zeros()
    for layer in Set(all.compactMap(\.layer)).sorted() {
      let block = try direction(of: optimizer, past: past, layer: layer, watch: watch)
      for (place, part) in zip(all.indices.filter { all[$0].layer == layer }, block) { Δ[place] = part }
    }
    return Δ
  }

  /// A forward and a backward pass, and a step of some parameters.
  private func step(
    _ driver: inout OptimizerDriver<Scalar>, _ moved: inout [Matrix<Scalar>], _ places: [Int]
  ) throws {
    workspace.forward(values, pass.batch.inputs, pass.batch.labels, mode: pass.mode)
    workspace.prepareOutputGradients()
    let outputs = workspace.outputGradients
    var gradients = workspace.network.zeros()
    meanGradients(into: &gradients, [.gradients, .captures])
    var own = places.map { gradients[$0] }
    _ = try driver.step(
      values: &moved, gradients: &own,
      objective: BatchObjective(
        loss: loss, sampleCount: workspace.termCount, captures: workspace.captures.map { [$0] },
        outputGradients: outputs.map { [$0] }, shards: [[pass]],
        cut: ShardedBatch(samples: pass.batch.inputs.rows, shards: 1, SingleProcess()), sharing: nil,
        workspace: workspace, values: values, seed: seed &+ UInt64(driver.stepCount)))
  }

  /// γ(Δ) = √(ΔᵀFΔ)/|Δᵀ∇L|, smallest for the natural gradient, whatever the length of Δ (Wu et al. 2024, equation 15).
  ///
  /// F is the exact Fisher matrix of the batch, L the sum of its losses. One forward pass of tangents.
  public func γ(_ direction: [Matrix<Scalar>]) -> Double {
    let (quadratic, slope) = workspace.fisherQuadratic(values, along: direction)
    return quadratic.squareRoot() / abs(slope)
  }

  /// The gradient of the mean loss.
  public var gradient: [Matrix<Scalar>] {
    var gradients = workspace.network.zeros()
    meanGradients(into: &gradients, .gradients)
    return gradients
  }

  /// A backward pass, whatever the network makes of the losses of its rows.
  private func meanGradients(into gradients: inout [Matrix<Scalar>], _ parts: BackwardParts) {
    workspace.backward(values, into: &gradients, parts)
    let toMean = workspace.scaleToMean
    for i in gradients.indices where toMean != 1 {
      scal(alpha: Scalar(toMean), &gradients[i], on: workspace.backend)
    }
  }
}

extension Trainer {
  /// Some training examples at the current weights, as they are tested.
  ///
  /// - Parameters:
  ///   - count: how many; at most as many as there are.
  ///   - number: which of the shuffled data's batches of that size.
  /// - Throws: ``FileError`` if they lie in a file that cannot be read, or has changed since it was opened.
  public func probe(count: Int, number: Int = 0) throws(FileError) -> Probe<Scalar> {
    var generator = KeyedGenerator(options.seed, Purpose.probes, UInt64(number))
    let places = Array(generator.permutation(training.data.count).prefix(count))
    let workspace = network.makeWorkspace(on: self.workspace.backend, threads: options.threads)
    workspace.statistics = self.workspace.statistics
    return Probe(
      workspace, values, try training.batch(places, augmenting: nil), registry: registry,
      seed: generator.next())
  }
}
