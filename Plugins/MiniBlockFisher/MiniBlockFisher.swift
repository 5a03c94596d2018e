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
    if timetable.updatesStatistics {
      for group in groups { try updateStatistics(of: group, keeping: timetable.kept, &step) }
    }
    if timetable.refreshesInverses { refreshInverses(of: groups, &step) }
    // Gathering statistics leaves weights and momentum alone.
    if timetable.isWarmingUp { return }
    for group in groups { try stage(group, &step) }
  }

  public func reference() -> any ReferenceOptimizer { NaiveMiniBlocks(settings) }

  /// M ← μ·M + D and the updates of the group's parameters.
  @specialized(where S == Float) @specialized(where S == Double)
  private func stage<S: KernelScalar>(_ group: BlockGroup, _ step: inout Step<S>) throws(StepRefusal) {
    var M = step.tensor("M", of: group.owner) ?? group.zeroVectors()
    let D = group.vectors(step.gradient(group.weight), group.bias.map(step.gradient))
    scal(alpha: S(settings.number("momentum")), &M, on: step.backend)
    axpy(D, into: &M, on: step.backend)
    step.set("M", of: group.owner, to: M)
    let P = try direction(M, of: group, step)
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
