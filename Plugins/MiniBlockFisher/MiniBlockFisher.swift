// Bahamou, Goldfarb & Ren: A Mini-Block Fisher Method for Deep Neural Networks, AISTATS 2023 (arXiv 2202.04124).
//
//   D   the gradient of the mean loss; a block is a convolution's kernel, a neuron's weights with its bias, or one number
//   Ĝ ← β·Ĝ + (1 − β)·D·Dᵀ        every T₁ steps, block by block
//   C = (Ĝ + λ·I)⁻¹                every T₂ steps, all blocks in one call
//   M ← μ·M + D                    momentum before the preconditioner
//   θ ← (1 − α·γ)·θ − α·C·M
//
// The neurons of a layer share one block, the average of theirs, unless `dense` says otherwise. What is not taken from
// the paper, and what else differs, is in MiniBlockFisher.md.

import FisherCurvature
public import FisherLinearAlgebra
public import FisherOptimizers

/// Momentum, preconditioned with the inverses of many small blocks of the empirical Fisher matrix (MBF).
public struct MiniBlockFisher: Optimizer {
  /// What Ĝ averages: products of the mean's gradient, the samples' products, or these divided by ‖∂ℓ/∂z‖².
  public enum Statistics: String, SettingChoice { case mean, perSample, improved }

  /// The blocks of a dense layer: one for all neurons, or one for each.
  public enum Dense: String, SettingChoice { case shared, perNeuron }

  @Setting("learning rate α", .positive, source: "ours; a step of C·M is long") public var lr = 1e-4
  @Setting("μ: M ← μ·M + D", .halfOpen(0, 1), source: "code of the same authors (TNT, K-BFGS)")
  public var momentum = 0.9
  @Setting("β of the running average of the blocks", .halfOpen(0, 1), source: "code of the same authors")
  public var beta = 0.9
  @Setting("λ, added to the diagonal of every block", .positive, source: "ours") public var damping = 3e-3
  @Setting("γ: θ is multiplied by 1 − α·γ", .nonNegative, source: "code of the same authors")
  public var weightDecay = 0.0
  @Setting(
    "T₁: steps from one update of the blocks to the next", .atLeast(1),
    source: "code of the same authors, autoencoders; 10 for convolutions")
  public var statisticsPeriod = 1
  @Setting(
    "T₂: steps from one inversion to the next", .atLeast(1),
    source: "code of the same authors, autoencoders; 100 for convolutions")
  public var inversePeriod = 20
  @Setting(
    "products of the mean's gradient, or the mean of the samples' products; improved divides these by ‖∂ℓ/∂z‖²",
    source: "the practical form of the method; perSample is the definition, improved that of iEF")
  public var statistics = Statistics.mean
  @Setting(
    "one averaged block for all neurons of a dense layer, or one for each",
    source: "the practical form of the method")
  public var dense = Dense.shared
  @Setting(
    "first steps that only gather statistics: those of an epoch are the paper's warm start", .atLeast(0),
    source: "ours: a cold start")
  public var warmStart = 0

  public init() {}

  /// What is left out has its default.
  public init(
    lr: Double? = nil, momentum: Double? = nil, beta: Double? = nil, damping: Double? = nil,
    weightDecay: Double? = nil, statisticsPeriod: Int? = nil, inversePeriod: Int? = nil,
    statistics: Statistics? = nil, dense: Dense? = nil, warmStart: Int? = nil
  ) {
    _lr.set(lr)
    _momentum.set(momentum)
    _beta.set(beta)
    _damping.set(damping)
    _weightDecay.set(weightDecay)
    _statisticsPeriod.set(statisticsPeriod)
    _inversePeriod.set(inversePeriod)
    _statistics.set(statistics)
    _dense.set(dense)
    _warmStart.set(warmStart)
  }

  public func needs(step number: Int) -> Needs {
    guard Timetable(self, step: number).updatesStatistics else { return .gradients }
    switch statistics {
    case .mean: return .gradients
    case .perSample: return [.gradients, .captures]
    case .improved: return [.gradients, .captures, .logitGradients]
    }
  }

  public func plan<S: KernelScalar>(_ step: inout Step<S>) throws(StepRefusal) {
    let timetable = Timetable(self, step: step.number)
    let groups = BlockGroup.groups(of: step.parameters, for: self)
    for group in groups {
      let gradient = pass(over: group, movesMomentum: !timetable.isWarmingUp, &step)
      if timetable.updatesStatistics { try updateStatistics(of: group, gradient, timetable, &step) }
    }
    if timetable.refreshesInverses { try refreshInverses(of: groups, &step) }
    // Gathering statistics leaves weights and momentum alone.
    if timetable.isWarmingUp { return }
    for (group, P) in zip(groups, try directions(of: groups, &step)) { stage(P, of: group, &step) }
  }

  public func reference() -> any ReferenceOptimizer { NaiveMiniBlocks(method: self) }

  /// M ← μ·M + D, and what the statistics may want of D.
  private func pass<S: KernelScalar>(
    over group: BlockGroup, movesMomentum: Bool, _ step: inout Step<S>
  ) -> JoinedGradient<S> {
    let width = group.columns - (group.bias == nil ? 0 : 1)
    let D = step.gradient(group.weight).reshaped(rows: group.rows, columns: width)
    let (b, threads) = (group.bias.map(step.gradient), step.threads)
    if !movesMomentum { return JoinedGradient(D, b, threads: threads) }
    let former = step.tensor("M", of: group.owner)
    var M = step.memory(for: "M", of: group.owner, rows: group.rows, columns: group.columns)
    let gradient = JoinedGradient(D, b, μ: S(momentum), former: former, into: &M, threads: threads)
    step.set("M", of: group.owner, to: M)
    return gradient
  }

  /// The updates of the group's parameters.
  private func stage<S: KernelScalar>(
    _ P: Matrix<S>, of group: BlockGroup, _ step: inout Step<S>
  ) {
    let α = lr * step.schedule
    let rule = MiniBlockRule<S>(α: S(α), decay: S(α * weightDecay))
    for (parameter, part) in group.parts(of: P) { step.apply(rule, to: parameter, gradient: part) }
  }
}

/// θ ← θ − α·P − α·γ·θ.
struct MiniBlockRule<S: KernelScalar>: UpdateRule {
  let α, decay: S

  @inline(__always)
  func update(_ x: inout Element<S>, _: inout NoState) { x.value -= α * x.gradient + decay * x.value }
}
