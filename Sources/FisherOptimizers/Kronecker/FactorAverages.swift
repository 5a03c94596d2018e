public import FisherCurvature
public import FisherLinearAlgebra

/// Running averages of the Kronecker factors of every layer, A of its inputs and G of its output gradients: the
/// hyper-parameters, and what a step does with them. In the state of a layer they are `A` and `G`, lower triangles alone.
public struct FactorAverages: SettingGroup {
  @Setting(
    "β: the most that an update of the statistics keeps of them; the k-th keeps 1 − 1/k at most",
    .halfOpen(0, 1), source: "Martens & Grosse 2015, section 5")
  public var beta = 0.95
  @Setting(
    "positions of shared weights: samples of their own, or averaged inputs and added gradients",
    source: "Grosse & Martens 2016 (expand)")
  public var sharing = WeightSharing.expand
  @Setting(
    "T₁: steps from one update of the statistics to the next", .atLeast(1),
    source: "Martens & Grosse 2015, section 8")
  public var statisticsPeriod = 1
  @Setting(
    "T₂: steps from one refresh of a layer to the next; the layers take turns", .atLeast(1),
    source: "Martens & Grosse 2015, section 8")
  public var refreshPeriod = 20

  public init() {}

  /// What is left out has its default.
  public mutating func set(
    beta: Double?, sharing: WeightSharing?, statisticsPeriod: Int?, refreshPeriod: Int?
  ) {
    _beta.set(beta)
    _sharing.set(sharing)
    _statisticsPeriod.set(statisticsPeriod)
    _refreshPeriod.set(refreshPeriod)
  }

  /// What step `number`, from 1, does.
  public func plan(step number: Int) -> RefreshPlan {
    RefreshPlan(
      step: number, statisticsPeriod: statisticsPeriod, refreshPeriod: refreshPeriod, keeping: beta)
  }

  /// Stages A ← kept·A + (1 − kept)·A′ for every layer, and the same of G unless it is not wanted, A′ and G′ being those of
  /// this batch.
  ///
  /// A layer that has no captures, or none that are products of inputs and output gradients, keeps what it has, at first
  /// zeros, and is counted: `layers without statistics`. J²·N + I²·N flops for I outputs, J inputs and N rows.
  @specialized(where S == Float) @specialized(where S == Double)
  public func update<S: KernelScalar>(
    _ layers: [KroneckerLayer], from captures: [String: LayerCapture<S>], wantsOutputs: Bool = true,
    keeping kept: Double, _ step: inout Step<S>
  ) {
    let (backend, threads) = (step.backend, step.threads)
    for layer in layers {
      let capture = layer.layer.flatMap { captures[$0] }.flatMap { $0.hasFactors ? $0 : nil }
      if capture == nil { step.count("layers without statistics") }
      step.average("A", of: layer.owner, order: layer.inputs, addsSquares: true) { A in
        capture?.averageInputFactor(
          &A, keeping: kept, of: layer.parameters, sharing: sharing, on: backend, threads: threads)
      }
      if !wantsOutputs { continue }
      step.average("G", of: layer.owner, order: layer.outputs, addsSquares: true) { G in
        capture?.averageOutputFactor(&G, keeping: kept, sharing: sharing, on: backend, threads: threads)
      }
    }
  }
}

extension FactorAverages {
  /// The same from the shards of the batch: each adds its part of A′ and G′, the sums are those of the triangles.
  ///
  /// - Throws: ``StepRefusal`` if the ranks cannot go on.
  @specialized(where S == Float) @specialized(where S == Double)
  public func update<S: KernelScalar>(
    _ layers: [KroneckerLayer], from captures: ShardedCaptures<S>, wantsOutputs: Bool = true,
    keeping kept: Double, _ step: inout Step<S>
  ) throws(StepRefusal) {
    if captures.isWhole {
      return update(layers, from: captures.layers, wantsOutputs: wantsOutputs, keeping: kept, &step)
    }
    func capture(_ layer: KroneckerLayer, _ captures: [String: LayerCapture<S>]) -> LayerCapture<S>? {
      layer.layer.flatMap { captures[$0] }.flatMap { $0.hasFactors ? $0 : nil }
    }
    let (backend, threads) = (step.backend, step.threads)
    // A piece is a factor: those of inputs and those of outputs take turns.
    let sides = wantsOutputs ? 2 : 1
    let sums = try captures.total(pieces: sides * layers.count) { shard, piece, sums in
      let layer = layers[piece / sides]
      guard let capture = capture(layer, shard.layers) else { return }
      if piece % sides == 0 {
        var A = Matrix<S>(rows: layer.inputs, columns: layer.inputs)
        capture.averageInputFactor(
          &A, keeping: 0, of: layer.parameters, sharing: sharing, share: capture.meanTerms / captures.terms,
          on: backend, threads: threads)
        appendTriangle(of: A, to: &sums)
      } else {
        var G = Matrix<S>(rows: layer.outputs, columns: layer.outputs)
        capture.averageOutputFactor(
          &G, keeping: 0, sharing: sharing, share: Double(capture.sampleCount) / Double(captures.samples),
          on: backend, threads: threads)
        appendTriangle(of: G, to: &sums)
      }
    }
    var rest = sums[...]
    for layer in layers {
      let isKnown = capture(layer, captures.layers) != nil
      if !isKnown { step.count("layers without statistics") }
      for (slot, order) in [("A", layer.inputs), ("G", layer.outputs)] where slot == "A" || wantsOutputs {
        step.average(slot, of: layer.owner, order: order, addsSquares: true) { factor in
          if !isKnown { return }
          averageTriangle(&factor, with: rest, keeping: kept)
          rest = rest.dropFirst(triangleCount(order: order))
        }
      }
    }
  }
}

extension Step {
  /// Stages what `change` makes of the lower triangle of a square piece of state, zeros at first. Above the diagonal it is
  /// to write nothing.
  ///
  /// - Parameters:
  ///   - slot: the name of the state.
  ///   - owner: whose state it is.
  ///   - order: of the square.
  ///   - addsSquares: all that is done is β·H + α·X·Xᵀ with 0 ≤ β ≤ 1. By Cauchy and Schwarz no element then exceeds the
  ///     diagonal, which alone is looked through for numbers that are not finite.
  ///   - change: writes the lower triangle.
  public mutating func average(
    _ slot: String, of owner: String, order: Int, addsSquares: Bool = false,
    _ change: (inout Matrix<Scalar>) -> Void
  ) {
    var matrix: Matrix<Scalar>
    if let former = tensor(slot, of: owner), former.rows == order, former.columns == order {
      matrix = memory(for: slot, of: owner, rows: order, columns: order)
      copyLowerTriangle(of: former, to: &matrix, threads: threads)
    } else {
      matrix = Matrix(rows: order, columns: order)
    }
    change(&matrix)
    set(slot, of: owner, to: matrix)
    if addsSquares && isDiagonalModerate(matrix) { staged.finite.insert(key(slot, of: owner)) }
  }
}

/// Whether every element of the diagonal is at most the root of the largest number. Then no sum of squares has overflowed
/// before it was scaled down, and neither has a sum of products, which added to any finite number is finite.
@specialized(where S == Float) @specialized(where S == Double)
private func isDiagonalModerate<S: KernelScalar>(_ H: Matrix<S>) -> Bool {
  let most = S.greatestFiniteMagnitude.squareRoot()
  return (0..<H.rows).allSatisfy { H[$0, $0].magnitude <= most }
}

extension KroneckerLayer {
  /// A square piece of the layer's state on the side of its inputs.
  ///
  /// - Throws: ``StepRefusal`` if it is missing or of another shape, as after a resume from the state of another run.
  public func inputState<S: KernelScalar>(
    _ slot: String, in step: borrowing Step<S>, for optimizer: String
  ) throws(StepRefusal) -> Matrix<S> {
    try step.latest(slot, of: owner, rows: inputs, columns: inputs, for: optimizer)
  }

  /// A square piece of the layer's state on the side of its outputs; see ``inputState(_:in:for:)``.
  public func outputState<S: KernelScalar>(
    _ slot: String, in step: borrowing Step<S>, for optimizer: String
  ) throws(StepRefusal) -> Matrix<S> {
    try step.latest(slot, of: owner, rows: outputs, columns: outputs, for: optimizer)
  }
}
