// Parts that keep the direction of a method's step Δ = θ′ − θ and choose another length.

public import FisherLinearAlgebra
public import FisherOptimizers

/// The step of each parameter is as long as the parameter itself, times α: Δ ← Δ·φ, where φ = α·‖θ‖/‖Δ‖ within bounds.
public struct TrustRatio: OptimizerPart {
  public static let record = PartRecord(
    name: "trust-ratio", title: "trust ratio", summary: "Steps are as long as the parameters, times α.",
    paper: "You et al.: LARS, 2017; You et al.: LAMB, ICLR 2020", place: .after,
    cost: Cost(flops: 8 * .P, elements: 6 * .P), probes: [["max": 1e9], ["min": 0.5, "max": 2]],
    keeps: PartRecord.Kept(decay: [], response: .lost, degree: false))

  @Setting("least ratio", .nonNegative, source: "ours") public var min = 0.0
  @Setting("largest ratio", .positive, source: "code of LAMB's authors") public var max = 10.0

  public init() {}

  public init(min: Double = 0, max: Double = 10) {
    self.min = min
    self.max = max
  }

  /// φ: 1 where there is no step, or nothing to measure it by.
  func ratio(_ α: Double, θ: Double, Δ: Double) -> Double {
    θ == 0 || Δ == 0 ? 1 : Swift.min(max, Swift.max(min, α * θ / Δ))
  }

  public func plan<S: KernelScalar>(
    _ step: inout Step<S>, around method: WrappedMethod<S>
  ) throws(StepRefusal) {
    let α = method.lr * step.schedule
    let proposed = try method.propose(&step)
    for (parameter, θ) in zip(step.parameters, proposed) {
      let Δ = Double(nrm2(step.difference(θ, of: parameter), on: step.backend))
      let φ = ratio(α, θ: Double(nrm2(step.value(parameter), on: step.backend)), Δ: Δ)
      step.apply(Rescaled(φ), to: parameter, gradient: θ)
    }
  }

  public func reference(around method: any ReferenceOptimizer, lr: Double) -> any ReferenceOptimizer {
    NaiveProposal(method: method) { [min, max] step, proposed in
      step.values.indices.map { p in
        let (θ, Δ) = (step.values[p], zip(proposed[p], step.values[p]).map { $0 - $1 })
        let (length, own) = (naiveNorm(Δ), naiveNorm(θ))
        if length == 0 || own == 0 { return proposed[p] }
        let φ = Swift.min(max, Swift.max(min, own / (length / (lr * step.schedule))))
        return zip(θ, Δ).map { $0 + φ * $1 }
      }
    }
  }
}

/// Bounds what the step of all parameters means to the model, to first order: Δ ← ν·Δ with
/// ν = min(1, √(κ/(α·|⟨Δ, g⟩|))), as K-FAC does with its own.
public struct ClipKL: OptimizerPart {
  public static let record = PartRecord(
    name: "clip-kl", title: "clipping by divergence", summary: "Steps are bounded along the gradient.",
    paper: "Ba, Grosse & Martens 2017", place: .after, needs: .gradients,
    cost: Cost(flops: 4 * .P, elements: 8 * .P), probes: [["limit": 1e-6], ["limit": 1e9]],
    keeps: PartRecord.Kept(
      invariances: [.elementPermutation, .unitPermutation, .sign, .rotation], decay: [], response: .lost,
      degree: false, groups: false))

  @Setting("κ, largest α·|⟨Δ, g⟩|", .positive, source: "Ba et al. 2017") public var limit = 1e-3

  public init() {}

  public init(limit: Double) { self.limit = limit }

  public func plan<S: KernelScalar>(
    _ step: inout Step<S>, around method: WrappedMethod<S>
  ) throws(StepRefusal) {
    let α = method.lr * step.schedule
    let gradients = step.parameters.map { step.gradient($0) }
    let proposed = try method.propose(&step)
    var sum = 0.0
    for (parameter, (θ, g)) in zip(step.parameters, zip(proposed, gradients)) {
      sum += step.sum(step.difference(θ, of: parameter), times: g)
    }
    let metric = α * abs(sum)
    let rule = Rescaled<S>(metric > limit ? (limit / metric).squareRoot() : 1)
    for (parameter, θ) in zip(step.parameters, proposed) { step.apply(rule, to: parameter, gradient: θ) }
  }

  public func reference(around method: any ReferenceOptimizer, lr: Double) -> any ReferenceOptimizer {
    NaiveProposal(method: method) { [limit] step, proposed in
      var sum = 0.0
      for p in step.values.indices {
        for i in step.values[p].indices {
          sum += (proposed[p][i] - step.values[p][i]) * step.gradients[p][i]
        }
      }
      let metric = lr * step.schedule * abs(sum)
      let ν = metric > limit ? (limit / metric).squareRoot() : 1
      return step.mapValues { p, i in
        step.values[p][i] + ν * (proposed[p][i] - step.values[p][i])
      }
    }
  }
}

/// The direction of a method with the length of another's step, parameter by parameter: Δ ← Δ·‖Δ'‖/‖Δ‖.
public struct Graft<Donor: Optimizer>: OptimizerPart {
  public static var record: PartRecord {
    let donor = Donor.record
    return PartRecord(
      name: "graft(\(donor.name))", prefix: "graft", title: "grafting on \(donor.title)",
      summary: "Steps are as long as those of \(donor.title).",
      paper:
        "Agarwal et al.: Disentangling Adaptive Gradient Methods from Learning Rates, 2020; \(donor.paper)",
      place: .after, needs: donor.needs,
      cost: Cost([Cost.Part(.parameter, flops: 9 * .P, elements: 9 * .P)] + donor.cost.parts),
      stateSize: donor.stateSize, probes: [donor.probes.first ?? [:]],
      keeps: PartRecord.Kept(
        invariances: Set(donor.invariances), decay: [], response: .lost, degree: false,
        groups: donor.treatsParametersApart), dependsOnStepNumber: donor.dependsOnStepNumber)
  }

  public static var hyperparameters: [Hyperparameter] { Donor.record.hyperparameters }

  /// The method whose steps have the length.
  public let donor: Donor

  public init() { donor = Donor() }

  public init(_ donor: Donor) { self.donor = donor }

  public init(given: [String: SettingValue]) {
    do { donor = try Donor(given) } catch { fatalError("Graft: \(error)") }
  }

  public var given: [String: SettingValue] { donor.settings.given }

  public func needs(step number: Int) -> Needs { donor.needs(step: number) }

  public static func taking(_ optimizer: any Optimizer.Type) -> (any OptimizerPart.Type)? {
    func graft<Other: Optimizer>(_: Other.Type) -> any OptimizerPart.Type { Graft<Other>.self }
    return graft(optimizer)
  }

  public static func obstacle(to method: OptimizerRecord) -> String? {
    let donor = Donor.record
    if donor.testedSlot != nil { return "\(donor.name) keeps other weights for the test" }
    return method.roles.isSubset(of: donor.roles)
      ? nil : "\(donor.name) does not treat all parameters that \(method.name) does"
  }

  public func plan<S: KernelScalar>(
    _ step: inout Step<S>, around method: WrappedMethod<S>
  ) throws(StepRefusal) {
    let other = WrappedMethod<S>(donor, lr: 1, slotPrefix: "graft.")
    let proposed = try method.propose(&step)
    let lengths = try other.propose(&step)
    step.rescale(proposed, toLengthsOf: lengths)
  }

  public func reference(around method: any ReferenceOptimizer, lr: Double) -> any ReferenceOptimizer {
    NaiveGraft(method: method, donor: donor.reference())
  }
}

extension Step {
  /// Stages the direction of one proposal with the length of another, for each parameter. Apart from ``Graft``, whose text
  /// also depends on the donor and so is not made into one for the element type.
  @specialized(where Scalar == Float) @specialized(where Scalar == Double)
  fileprivate mutating func rescale(_ proposed: [Matrix<Scalar>], toLengthsOf donated: [Matrix<Scalar>]) {
    for (parameter, (θ, other)) in zip(parameters, zip(proposed, donated)) {
      let Δ = Double(nrm2(difference(θ, of: parameter), on: backend))
      let length = Double(nrm2(difference(other, of: parameter), on: backend))
      apply(Rescaled(Δ == 0 ? 1 : length / Δ), to: parameter, gradient: θ)
    }
  }
}
