// Averages of the weights. The weights that are trained are the method's, or between two sequences; the average is tested
// and exported.

public import FisherLinearAlgebra
public import FisherOptimizers

/// A running average of the weights, which is tested: x ← β·x + (1 − β)·θ, from the first weights on.
public struct EMA: OptimizerPart {
  public static let record = PartRecord(
    name: "ema", title: "running average", summary: "A running average of the weights is tested.",
    paper: "Ruppert 1988; Polyak & Juditsky 1992", place: .beside,
    cost: Cost(flops: 3 * .P, elements: 5 * .P), stateSize: "P and a number",
    probes: [["beta": 0.75], ["beta": 0]], testedSlot: "x")

  @Setting("β, how much of the average stays", .halfOpen(0, 1), source: "ours") public var beta = 0.999

  public init() {}

  public init(_ beta: Double) { self.beta = beta }

  public func plan<S: KernelScalar>(
    _ step: inout Step<S>, around method: WrappedMethod<S>
  ) throws(StepRefusal) {
    let isFirst = step.scalar("n") == nil
    try step.apply(AverageRule<S>(w: S(1 - beta), startsHere: isFirst), toProposalOf: method)
    step.set("n", to: (step.scalar("n") ?? 0) + 1)
  }

  public func reference(around method: any ReferenceOptimizer, lr: Double) -> any ReferenceOptimizer {
    NaiveAverage(method: method) { [beta] path in
      let w = 1 - beta
      // The sum of all weights of the run, each with its share.
      return path.indices.map { t in
        (t == 0 ? 1 : w) * naiveIntegerPower(beta, path.count - 1 - t)
      }
    }
  }
}

/// The mean of the weights of all steps after some, which is tested; before, the weights themselves.
public struct PolyakAverage: OptimizerPart {
  public static let record = PartRecord(
    name: "polyak", title: "Polyak average", summary: "The mean of the weights is tested.",
    paper: "Ruppert 1988; Polyak & Juditsky 1992", place: .beside,
    cost: Cost(flops: 3 * .P, elements: 5 * .P), stateSize: "P and a number",
    probes: [["start": 0], ["start": 3]], testedSlot: "x")

  @Setting("steps before the average begins", .atLeast(0), source: "ours") public var start = 0

  public init() {}

  public init(start: Int) { self.start = start }

  public func plan<S: KernelScalar>(
    _ step: inout Step<S>, around method: WrappedMethod<S>
  ) throws(StepRefusal) {
    let n = (step.scalar("n") ?? 0) + 1
    let rule = AverageRule<S>(w: S(1 / max(1, n - Double(start))), startsHere: false)
    try step.apply(rule, toProposalOf: method)
    step.set("n", to: n)
  }

  public func reference(around method: any ReferenceOptimizer, lr: Double) -> any ReferenceOptimizer {
    NaiveAverage(method: method) { [start] path in
      let last = path.count - 1
      let first = min(last, start + 1)
      return path.indices.map { $0 < first ? 0 : 1 / Double(last - first + 1) }
    }
  }
}

struct AverageRule<S: KernelScalar>: UpdateRule {
  struct State { var x: Lanes<S> }

  /// How much of the new weights.
  let w: S
  /// The average begins as the old weights.
  let startsHere: Bool

  @inline(__always)
  func update(_ θ: inout Element<S>, _ state: inout State) {
    state.x = moved(startsHere ? θ.value : state.x, towards: θ.gradient, by: w)
    θ.value = θ.gradient
  }
}

/// Schedule-Free around any method: gradients are taken at y, which is trained; the method's steps move z, the fast
/// sequence; x is its average, which is tested.
///
///     z ← z + Δ(y),  S ← S + s²,  x ← x + (s²/S)·(z − x),  y ← z + β·(x − z),  s the factor of the schedule
public struct ScheduleFree: OptimizerPart {
  public static let record = PartRecord(
    name: "schedule-free", title: "Schedule-Free", summary: "An average replaces a falling learning rate.",
    paper: "Defazio et al.: The Road Less Scheduled, NeurIPS 2024", place: .after,
    cost: Cost(flops: 8 * .P, elements: 7 * .P), stateSize: "2·P and a number",
    probes: [[:], ["beta": 0.5]],
    keeps: PartRecord.Kept(decay: [.coupled], response: .lost), testedSlot: "x")

  @Setting("β: y lies so far from z towards x", .closed(0, 1), source: "Defazio et al. 2024")
  public var beta = 0.9

  public init() {}

  public init(_ beta: Double) { self.beta = beta }

  public func plan<S: KernelScalar>(
    _ step: inout Step<S>, around method: WrappedMethod<S>
  ) throws(StepRefusal) {
    let former = step.scalar("S")
    let s = step.schedule
    let sum = (former ?? 0) + s * s
    let rule = ScheduleFreePartRule<S>(
      c: S(sum > 0 ? s * s / sum : 0), β: S(beta), isFirst: former == nil)
    try step.apply(rule, toProposalOf: method)
    step.set("S", to: sum)
  }

  public func reference(around method: any ReferenceOptimizer, lr: Double) -> any ReferenceOptimizer {
    NaiveScheduleFreePart(method: method, β: beta)
  }
}

struct ScheduleFreePartRule<S: KernelScalar>: UpdateRule {
  struct State { var z, x: Lanes<S> }

  let c, β: S
  /// x and z begin as y.
  let isFirst: Bool

  @inline(__always)
  func update(_ y: inout Element<S>, _ state: inout State) {
    if isFirst { (state.z, state.x) = (y.value, y.value) }
    state.z += y.gradient - y.value
    state.x = moved(state.x, towards: state.z, by: c)
    y.value = moved(state.z, towards: state.x, by: β)
  }
}
