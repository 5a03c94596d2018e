import FisherCurvature
import FisherLinearAlgebra
import FisherOptimizers

/// What AdaFisher and AdaFisherW have in common, with the switches of a variant resolved.
struct AdaFisherMethod {
  /// When min-max scaling happens: to what enters the average, or to what is read from it.
  enum Placement: String { case beforeEMA, afterEMA }

  /// F̃ itself, or a placebo that tells whether F̃ matters.
  enum Control: String { case none, geometricMean, lambda }

  let settings: Settings
  let isDecoupled: Bool
  let isOfficial: Bool

  init(_ settings: Settings, decoupled: Bool) {
    self.settings = settings
    isDecoupled = decoupled
    isOfficial = settings.choice("variant") == "official"
  }

  // What was not set follows the variant.
  var lr: Double { settings.isGiven("lr") ? settings.number("lr") : isOfficial ? 1e-3 : 1e-2 }
  var λ: Double { settings.isGiven("lambda") ? settings.number("lambda") : isOfficial ? 1e-3 : 1e-2 }
  var refresh: Int { settings.isGiven("refresh") ? settings.integer("refresh") : isOfficial ? 100 : 1 }
  var keep: Double { settings.isGiven("keep") ? settings.number("keep") : isOfficial ? 0.08 : 0.8 }
  var mix: Double { settings.isGiven("mix") ? settings.number("mix") : isOfficial ? 0.008 : 0.2 }
  var ε: Double { settings.isGiven("minMaxEps") ? settings.number("minMaxEps") : isOfficial ? 1e-6 : 0 }
  var dividesByPatch: Bool {
    settings.isGiven("convDivisor") ? settings.flag("convDivisor") : isOfficial
  }
  var placement: Placement {
    let byVariant = isOfficial ? Placement.beforeEMA : .afterEMA
    return settings.isGiven("placement") ? Placement(rawValue: settings.choice("placement"))! : byVariant
  }
  /// Where the averages start. Scaling after the average takes away whatever all entries have in common, so there the
  /// ones of the method are left out: kept, they would drown entries of 1e-8 in the rounding of `Float`.
  var seed: Double { placement == .beforeEMA ? 1 : 0 }
  var isImproved: Bool { settings.choice("fisher") == "improved" }
  var control: Control { Control(rawValue: settings.choice("control"))! }

  /// Captures are wanted in steps 1, 1 + refresh, 1 + 2·refresh …
  func isRefresh(_ number: Int) -> Bool { (number - 1) % refresh == 0 }

  func needs(step number: Int) -> Needs {
    guard isRefresh(number) && control != .lambda else { return .gradients }
    return isImproved ? [.gradients, .captures, .logitGradients] : [.gradients, .captures]
  }

  @specialized(where S == Float) @specialized(where S == Double)
  func plan<S: KernelScalar>(_ step: inout Step<S>) throws(StepRefusal) {
    if needs(step: step.number).contains(.captures) { try refreshFactors(&step) }
    let (lr, γ, β) = (
      lr * step.schedule, settings.number("weightDecay"), settings.number("beta")
    )
    for parameter in step.parameters {
      let factors = divisor(of: parameter, step)
      let rule = AdaFisherRule<S>(
        α: S(lr / (1 - power(β, step.number))), β: S(β), rest: S(1 - β), γ: S(isDecoupled ? 0 : γ),
        decay: S(isDecoupled ? lr * γ : 0), λ: S(factors.λ))
      step.apply(rule, to: parameter, row: factors.row, column: factors.column)
    }
  }

  /// state ← keep·state + mix·new for every layer with a capture. A layer whose new factors cannot be used keeps its
  /// old ones, and that is counted.
  @inline(__always)
  private func refreshFactors<S: KernelScalar>(_ step: inout Step<S>) throws(StepRefusal) {
    guard let captures = step.objective.captures else {
      throw .unavailable(optimizer: Self.name(isDecoupled), what: Needs.captures.description)
    }
    var layers = captures.layers
    if isImproved {
      guard let outputs = step.objective.outputGradients else {
        throw .unavailable(optimizer: Self.name(isDecoupled), what: Needs.logitGradients.description)
      }
      layers = captures.improved(by: outputs).layers
    }
    for layer in Set(step.parameters.compactMap(\.layer)).sorted() {
      guard let capture = layers[layer] else {
        step.count("layer without factors")
        continue
      }
      let raw = FactorDiagonals(capture, dividesByPatch: dividesByPatch, threads: step.threads)
      guard placement == .beforeEMA ? raw.areNumbers : raw.areFinite else {
        step.count("refresh skipped")
        continue
      }
      for (slot, new) in [("H", raw.inputs), ("S", raw.outputs)] {
        let new = placement == .beforeEMA ? minMax(new, ε: ε) : new
        let old =
          step.tensor(slot, of: layer)?.array.map(Double.init)
          ?? [Double](repeating: seed, count: new.count)
        let state = zip(old, new).map { S(keep * $0 + mix * $1) }
        step.set(slot, of: layer, to: Matrix(state, rows: 1, columns: state.count))
      }
    }
  }

  static func name(_ isDecoupled: Bool) -> String { isDecoupled ? "adafisherw" : "adafisher" }
}

/// θ and m of eight elements: F̃ exists only here, in registers.
private struct AdaFisherRule<S: KernelScalar>: UpdateRule {
  /// α/(1 − βᵗ), β, 1 − β, the γ inside of m, the α·γ beside it, λ.
  let α, β, rest, γ, decay, λ: S

  var slots: [String?] { ["m"] }

  @inline(__always)
  func update(_ x: inout Element<S>) {
    let g = x.gradient + γ * x.value
    x.first = β * x.first + rest * g
    x.value -= α * x.first / (x.row * x.column + λ) + decay * x.value
  }
}
