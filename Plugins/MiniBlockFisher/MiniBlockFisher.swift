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
  public let settings: Settings

  public init(settings: Settings) { self.settings = settings }

  public func needs(step number: Int) -> Needs {
    guard Timetable(settings, step: number).updatesStatistics else { return .gradients }
    switch settings.choice("statistics") {
    case "perSample": return [.gradients, .captures]
    case "improved": return [.gradients, .captures, .logitGradients]
    default: return .gradients
    }
  }

  @specialized(where S == Float) @specialized(where S == Double)
  public func plan<S: KernelScalar>(_ step: inout Step<S>) throws(StepRefusal) {
    let timetable = Timetable(settings, step: step.number)
    let groups = BlockGroup.groups(of: step.parameters, settings)
    var momenta: [Matrix<S>] = []
    for group in groups {
      let (pass, M) = pass(over: group, timetable, &step)
      if timetable.updatesStatistics { try updateStatistics(of: group, pass, timetable, &step) }
      momenta.append(M)
    }
    if timetable.refreshesInverses { refreshInverses(of: groups, &step) }
    // Gathering statistics leaves weights and momentum alone.
    if timetable.isWarmingUp { return }
    for (group, M) in zip(groups, momenta) { try stage(M, of: group, &step) }
  }

  public func reference() -> any ReferenceOptimizer { NaiveMiniBlocks(settings) }

  /// M ← μ·M + D, and what the statistics may want of D. While statistics are only gathered, M is empty.
  @specialized(where S == Float) @specialized(where S == Double)
  private func pass<S: KernelScalar>(
    over group: BlockGroup, _ timetable: Timetable, _ step: inout Step<S>
  ) -> (GradientPass<S>, M: Matrix<S>) {
    let D = group.weightVectors(step.gradient(group.weight))
    let (b, threads) = (group.bias.map(step.gradient), step.threads)
    if timetable.isWarmingUp {
      var none = Matrix<S>(rows: 0, columns: 0)
      return (GradientPass(D, b, momentum: nil, into: &none, threads: threads), none)
    }
    var M = step.memory(for: "M", of: group.owner, rows: group.rows, columns: group.columns)
    let momentum = (S(settings.number("momentum")), step.tensor("M", of: group.owner))
    let pass = GradientPass(D, b, momentum: momentum, into: &M, threads: threads)
    step.set("M", of: group.owner, to: M)
    return (pass, M)
  }

  /// The updates of the group's parameters.
  @specialized(where S == Float) @specialized(where S == Double)
  private func stage<S: KernelScalar>(
    _ M: Matrix<S>, of group: BlockGroup, _ step: inout Step<S>
  ) throws(StepRefusal) {
    let P = try direction(M, of: group, &step)
    let α = settings.number("lr") * step.schedule
    let rule = MiniBlockRule<S>(α: S(α), decay: S(α * settings.number("weightDecay")))
    for (parameter, part) in group.parts(of: P) { step.apply(rule, to: parameter, gradient: part) }
  }
}

/// θ ← θ − α·P − α·γ·θ.
struct MiniBlockRule<S: KernelScalar>: UpdateRule {
  let α, decay: S

  var slots: [String?] { [] }

  @inline(__always)
  func update(_ x: inout Element<S>) { x.value -= α * x.gradient + decay * x.value }
}
