public import FisherLinearAlgebra

/// Whether momentum gathers gradients, before they are preconditioned, or directions, afterwards.
public enum MomentumPlacement: String, SettingChoice { case before, after }

/// What a method with a preconditioner P for each layer does around it: momentum, a bound of the step, weight decay.
///
///     V = M ← μ·M + g with momentum before the preconditioner, else V = g
///     Δ = P·V,  ν = min(1, √(κ/(α²·Σ⟨Δ, V⟩)))
///     m ← μ·m + ν·Δ with momentum after it, else m = ν·Δ
///     θ ← (1 − α·γ)·θ − α·m
///
/// If P is the inverse of a curvature, ⟨Δ, V⟩ is the square of Δ in its metric, so α²·ν²·⟨Δ, V⟩ ≤ κ bounds what a step
/// changes in the outputs, to second order (Ba, Grosse & Martens 2017, section 5).
public struct Preconditioning: SettingGroup {
  @Setting public var momentum: Double
  @Setting public var placement: MomentumPlacement
  @Setting("γ: θ is multiplied by 1 − α·γ", .nonNegative, source: "ours: none") public var weightDecay = 0.0
  @Setting public var klClip: Double

  /// With the defaults of a method, and where they come from.
  public init(
    momentum: Double, placement: MomentumPlacement = .after, source: String, klClip: Double, klSource: String
  ) {
    _momentum = Setting(wrappedValue: momentum, "μ of the heavy ball", .halfOpen(0, 1), source: source)
    _placement = Setting(
      wrappedValue: placement,
      "momentum gathers gradients, before they are preconditioned, or directions, after it", source: source)
    _klClip = Setting(
      wrappedValue: klClip,
      "κ: the most of α²·⟨Δ, V⟩, the step in the metric of the curvature; 0 for no bound", .nonNegative,
      source: klSource)
  }

  /// What is left out has its default.
  public mutating func set(
    momentum: Double?, placement: MomentumPlacement?, weightDecay: Double?, klClip: Double?
  ) {
    _momentum.set(momentum)
    _placement.set(placement)
    _weightDecay.set(weightDecay)
    _klClip.set(klClip)
  }

  /// V is the momentum of the gradients, and not the gradient.
  public var gathersGradients: Bool { placement == .before && momentum > 0 }

  /// V of a layer; with momentum before the preconditioner it is staged as the layer's state `M`.
  @specialized(where S == Float) @specialized(where S == Double)
  public func vector<S: KernelScalar>(of layer: KroneckerLayer, _ step: inout Step<S>) -> Matrix<S> {
    let (slot, owner) = ("M", layer.owner)
    var V = step.memory(for: slot, of: owner, rows: layer.outputs, columns: layer.inputs)
    if gathersGradients {
      layer.gradient(in: step, plus: S(momentum), times: step.tensor(slot, of: owner), into: &V)
      step.set(slot, of: owner, to: V)
    } else {
      layer.gradient(in: step, into: &V)
      step.keep(V, for: slot, of: owner)
    }
    return V
  }

  /// Stages the updates of all layers.
  ///
  /// - Parameters:
  ///   - directions: Δ and V of every layer.
  ///   - lr: α before the schedule.
  ///   - step: the step that is planned.
  @specialized(where S == Float) @specialized(where S == Double)
  public func stage<S: KernelScalar>(
    _ directions: [(layer: KroneckerLayer, Δ: Matrix<S>, V: Matrix<S>)], lr: Double, _ step: inout Step<S>
  ) {
    let α = lr * step.schedule
    var ν = 1.0
    if klClip > 0 {
      let quadratic = directions.reduce(0.0) { $0 + innerProduct($1.Δ, $1.V, threads: step.threads) }
      ν = Self.clip(quadratic, α: α, κ: klClip)
    }
    let rule = PreconditionedRule<S>(
      α: S(α), ν: S(ν), μ: S(momentum), decay: S(α * weightDecay),
      hasMomentum: placement == .after && momentum > 0)
    for direction in directions {
      for (parameter, part) in direction.layer.parts(of: direction.Δ) {
        step.apply(rule, to: parameter, gradient: part)
      }
    }
  }

  /// ν = min(1, √(κ/(α²·q))).
  static func clip(_ q: Double, α: Double, κ: Double) -> Double {
    let size = α * α * q
    // Not above κ, or no number: a step that is not finite is refused as such.
    return size > κ ? (κ / size).squareRoot() : 1
  }
}

/// m ← μ·m + ν·Δ,  θ ← θ − α·m − α·γ·θ.
struct PreconditionedRule<S: KernelScalar>: UpdateRule {
  struct State { var m: Lanes<S> }

  let α, ν, μ, decay: S
  let hasMomentum: Bool

  var unused: [PartialKeyPath<State>] { hasMomentum ? [] : [\.m] }

  @inline(__always)
  func update(_ x: inout Element<S>, _ state: inout State) {
    let Δ = ν * x.gradient
    state.m = hasMomentum ? μ * state.m + Δ : Δ
    x.value -= α * state.m + decay * x.value
  }
}
