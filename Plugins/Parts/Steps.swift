// What becomes of the step Δ = θ′ − θ that a method proposes.

public import FisherLinearAlgebra
public import FisherOptimizers

/// Heavy-ball momentum over the steps of a method: m ← β·m + Δ, θ ← θ + m; with Nesterov θ ← θ + Δ + β·m.
public struct Momentum: OptimizerPart {
  public static let record = PartRecord(
    name: "momentum", title: "momentum", summary: "Steps are summed up with heavy-ball momentum.",
    paper: "Polyak 1964; Nesterov 1983", place: .after, cost: Cost(flops: 4 * .P, elements: 5 * .P),
    stateSize: "P", probes: [[:], ["nesterov": true, "beta": 0.5]],
    keeps: PartRecord.Kept(decay: [.coupled], response: .summed("beta")))

  @Setting("β, how much of the last step stays", .halfOpen(0, 1), source: "Krizhevsky et al. 2012")
  public var beta = 0.9
  @Setting("look ahead by β", source: "ours") public var nesterov = false

  public init() {}

  public init(_ beta: Double, nesterov: Bool = false) {
    self.beta = beta
    self.nesterov = nesterov
  }

  public func plan<S: KernelScalar>(
    _ step: inout Step<S>, around method: WrappedMethod<S>
  ) throws(StepRefusal) {
    let rule = MomentumRule<S>(β: S(beta), own: nesterov ? 1 : 0, summed: nesterov ? S(beta) : 1)
    try step.apply(rule, toProposalOf: method)
  }

  public func reference(around method: any ReferenceOptimizer, lr: Double) -> any ReferenceOptimizer {
    NaiveMomentumPart(method: method, β: beta, isNesterov: nesterov)
  }
}

struct MomentumRule<S: KernelScalar>: UpdateRule {
  struct State { var m: Lanes<S> }

  let β: S
  /// How much of Δ and of m is added.
  let own, summed: S

  @inline(__always)
  func update(_ x: inout Element<S>, _ state: inout State) {
    let Δ = x.gradient - x.value
    state.m = β * state.m + Δ
    x.value += own == 0 ? state.m : Δ + summed * state.m
  }
}

/// Decoupled weight decay beside the steps of a method: θ ← θ′ − α·γ·θ.
public struct Decay: OptimizerPart {
  public static let record = PartRecord(
    name: "decay", title: "decoupled weight decay", summary: "Weights decay beside the step.",
    paper: "Loshchilov & Hutter 2019", place: .after, cost: Cost(flops: 2 * .P, elements: 3 * .P),
    probes: [["rate": 0.1]], keeps: PartRecord.Kept(decay: [.decoupled], degree: false), decaySetting: "rate")

  @Setting("γ: α·γ·θ is subtracted", .nonNegative, source: "PyTorch's AdamW") public var rate = 0.01

  public init() {}

  public init(_ rate: Double) { self.rate = rate }

  public func plan<S: KernelScalar>(
    _ step: inout Step<S>, around method: WrappedMethod<S>
  ) throws(StepRefusal) {
    try step.apply(DecayRule<S>(αγ: S(method.lr * step.schedule * rate)), toProposalOf: method)
  }

  public func reference(around method: any ReferenceOptimizer, lr: Double) -> any ReferenceOptimizer {
    NaiveProposal(method: method) { [rate] step, proposed in
      step.mapValues { p, i in proposed[p][i] - lr * step.schedule * rate * step.values[p][i] }
    }
  }
}

struct DecayRule<S: KernelScalar>: UpdateRule {
  let αγ: S

  @inline(__always)
  func update(_ x: inout Element<S>, _: inout NoState) { x.value = x.gradient - αγ * x.value }
}

/// No element moves against its gradient: Δ is 0 where it does not descend, and the rest of the parameter's step grows by
/// the share that is left.
public struct Caution: OptimizerPart {
  public static let record = PartRecord(
    name: "caution", title: "caution", summary: "No element moves against its gradient.",
    paper: "Liang et al.: Cautious Optimizers, 2024", place: .after, needs: .gradients,
    cost: Cost(flops: 9 * .P, elements: 10 * .P), probes: [[:], ["scaled": false]],
    keeps: PartRecord.Kept(
      invariances: [.lossScale, .elementPermutation, .unitPermutation, .sign], decay: []))

  @Setting("divide by the share that moves", source: "official code") public var scaled = true

  public init() {}

  public init(scaled: Bool) { self.scaled = scaled }

  public func plan<S: KernelScalar>(
    _ step: inout Step<S>, around method: WrappedMethod<S>
  ) throws(StepRefusal) {
    // The gradients of the run, whatever the method is shown.
    let gradients = step.parameters.map { step.gradient($0) }
    let proposed = try method.propose(&step)
    for (parameter, (θ, g)) in zip(step.parameters, zip(proposed, gradients)) {
      let Δ = step.difference(θ, of: parameter)
      let agreeing = step.direction(of: parameter, Agreeing(), Δ, g)
      let moving = step.sum(agreeing, of: NonZero())
      let share = scaled ? max(moving / Double(max(1, parameter.count)), 1e-3) : 1
      step.apply(DirectionRule(α: S(-1 / share), shrink: 1), to: parameter, gradient: agreeing)
    }
  }

  public func reference(around method: any ReferenceOptimizer, lr: Double) -> any ReferenceOptimizer {
    NaiveProposal(method: method) { [scaled] step, proposed in
      step.values.indices.map { p in
        let (θ, g) = (step.values[p], step.gradients[p])
        let isMoving = θ.indices.map { (proposed[p][$0] - θ[$0]) * g[$0] < 0 }
        let share = scaled ? max(1e-3, Double(isMoving.count { $0 }) / Double(θ.count)) : 1
        return θ.indices.map { isMoving[$0] ? θ[$0] + (proposed[p][$0] - θ[$0]) / share : θ[$0] }
      }
    }
  }
}
