import FisherCurvature
import FisherLinearAlgebra
import FisherOptimizers

/// A step of ``AdaFisher`` or ``AdaFisherW``, with the switches resolved: what was not set follows the variant.
struct ResolvedAdaFisher {
  let name: String
  let isDecoupled, isImproved, dividesByPatch: Bool
  let α, β, λ, γ, kept, mixed, ε: Double
  /// Steps from one refresh of the factors to the next.
  let period: Int
  let scaling: AdaFisherPlacement
  let control: AdaFisherControl

  init<Decay>(_ method: AdaFisherMethod<Decay>) {
    let isOfficial = method.variant == .official
    name = type(of: method).record.name
    isDecoupled = Decay.isDecoupled
    isImproved = method.fisher == .improved
    dividesByPatch = method.$convDivisor.or(true, if: isOfficial)
    α = method.$lr.or(1e-3, if: isOfficial)
    β = method.beta
    λ = method.$lambda.or(1e-3, if: isOfficial)
    γ = method.weightDecay
    kept = method.$keep.or(0.08, if: isOfficial)
    mixed = method.$mix.or(0.008, if: isOfficial)
    ε = method.$minMaxEps.or(1e-6, if: isOfficial)
    period = method.$refresh.or(100, if: isOfficial)
    scaling = method.$placement.or(.beforeEMA, if: isOfficial)
    control = method.control
  }

  /// Where the averages start. Scaling after the average takes away whatever all entries have in common, so there the
  /// ones of the method are left out: kept, they would drown entries of 1e-8 in the rounding of `Float`.
  var seed: Double { scaling == .beforeEMA ? 1 : 0 }

  /// Captures are wanted in steps 1, 1 + period, 1 + 2·period …
  func isRefresh(_ number: Int) -> Bool { (number - 1) % period == 0 }

  func needs(step number: Int) -> Needs {
    guard isRefresh(number) && control != .lambda else { return .gradients }
    return isImproved ? [.gradients, .captures, .logitGradients] : [.gradients, .captures]
  }

  @specialized(where S == Float) @specialized(where S == Double)
  func plan<S: KernelScalar>(_ step: inout Step<S>) throws(StepRefusal) {
    if needs(step: step.number).contains(.captures) { try refreshFactors(&step) }
    let α = α * step.schedule
    for parameter in step.parameters {
      let factors = divisor(of: parameter, step)
      let rule = AdaFisherRule<S>(
        α: S(α / (1 - β.raised(to: step.number))), β: S(β), rest: S(1 - β), γ: S(isDecoupled ? 0 : γ),
        decay: S(isDecoupled ? α * γ : 0), λ: S(factors.λ))
      step.apply(rule, to: parameter, row: factors.row, column: factors.column)
    }
  }

  /// state ← keep·state + mix·new for every layer with a capture. A layer whose new factors cannot be used keeps its
  /// old ones, and that is counted.
  @inline(__always)
  private func refreshFactors<S: KernelScalar>(_ step: inout Step<S>) throws(StepRefusal) {
    guard let captures = step.objective.shardedCaptures else {
      throw .unavailable(optimizer: name, what: Needs.captures.description)
    }
    let layers = Set(step.parameters.compactMap(\.layer)).sorted()
    let known = layers.filter { captures.layers[$0] != nil }
    let diagonals = try diagonals(of: known, captures, threads: step.threads)
    for layer in layers {
      guard let raw = diagonals[layer] else {
        step.count("layer without factors")
        continue
      }
      guard scaling == .beforeEMA ? raw.areNumbers : raw.areFinite else {
        step.count("refresh skipped")
        continue
      }
      for (slot, new) in [("H", raw.inputs), ("S", raw.outputs)] {
        let new = scaling == .beforeEMA ? minMax(new, ε: ε) : new
        let old =
          step.tensor(slot, of: layer)?.array.map(Double.init)
          ?? [Double](repeating: seed, count: new.count)
        let state = zip(old, new).map { S(kept * $0 + mixed * $1) }
        step.set(slot, of: layer, to: Matrix(state, rows: 1, columns: state.count))
      }
    }
  }
}

extension ResolvedAdaFisher {
  /// The diagonals of these layers' factors on the whole batch.
  private func diagonals<S: KernelScalar>(
    of layers: [String], _ captures: ShardedCaptures<S>, threads: Int
  ) throws(StepRefusal) -> [String: FactorDiagonals] {
    if isImproved && captures.own.contains(where: { $0.outputs == nil }) {
      throw .unavailable(optimizer: name, what: Needs.logitGradients.description)
    }
    func captured(_ shard: ShardedCaptures<S>.Shard) -> [String: LayerCapture<S>] {
      guard isImproved, let outputs = shard.outputs else { return shard.layers }
      return Captures<S, Empirical>(shard.layers).improved(by: outputs).layers
    }
    if captures.isWhole {
      return captured(captures.own[0]).filter { layers.contains($0.key) }
        .mapValues { FactorDiagonals($0, dividesByPatch: dividesByPatch, threads: threads) }
    }
    var rest = try captures.total { shard in
      let captured = captured(shard)
      return layers.compactMap { captured[$0] }.flatMap { FactorSums($0, threads: threads).ofSum($0) }
    }[...]
    var diagonals: [String: FactorDiagonals] = [:]
    for layer in layers {
      guard let capture = captures.layers[layer] else { continue }
      let counts = FactorSums.counts(capture)
      let sums = FactorSums(rest, inputs: counts.inputs, outputs: counts.outputs)
      rest = rest.dropFirst(counts.inputs + counts.outputs)
      // Improved gradients have no mean.
      diagonals[layer] = FactorDiagonals(
        sums, of: capture, samples: captures.samples, toMean: isImproved ? 1 : 1 / captures.terms,
        dividesByPatch: dividesByPatch)
    }
    return diagonals
  }
}

/// θ and m of eight elements: F̃ exists only here, in registers.
private struct AdaFisherRule<S: KernelScalar>: UpdateRule {
  struct State { var m: Lanes<S> }

  /// α/(1 − βᵗ), β, 1 − β, the γ inside of m, the α·γ beside it, λ.
  let α, β, rest, γ, decay, λ: S

  @inline(__always)
  func update(_ x: inout Element<S>, _ state: inout State) {
    let g = x.gradient + γ * x.value
    state.m = β * state.m + rest * g
    x.value -= α * state.m / (x.row * x.column + λ) + decay * x.value
  }
}
