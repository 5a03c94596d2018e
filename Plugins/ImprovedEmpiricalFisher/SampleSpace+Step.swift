import FisherCurvature
import FisherLinearAlgebra
import FisherOptimizers

extension SampleSpace {
  /// (a − b)·factor.
  @specialized(where S == Float) @specialized(where S == Double)
  func difference(_ a: [Matrix<S>], _ b: [Matrix<S>], times factor: Double) -> [Matrix<S>] {
    zip(a, b).map { a, b in
      Matrix(
        zip(a.array, b.array).map { S((Double($0) - Double($1)) * factor) }, rows: a.rows, columns: a.columns)
    }
  }

  @specialized(where S == Float) @specialized(where S == Double)
  func norm(_ direction: [Matrix<S>]) -> Double {
    direction.reduce(0.0) { sum, part in
      part.withSpan { part in part.indices.reduce(sum) { $0 + Double(part[$1]) * Double(part[$1]) } }
    }.squareRoot()
  }

  /// θ ← θ − α·(v + γ·θ) with v ← μ·v + c·Δ, where c makes a unit step of Δ or bounds it, if that is wanted.
  ///
  /// - Parameter norm: ‖Δ‖ over all parameters.
  @specialized(where S == Float) @specialized(where S == Double)
  func stage(_ Δ: [Matrix<S>], norm: Double, _ settings: Settings, _ step: inout Step<S>) {
    let α = settings.number("lr") * step.schedule
    let limit = settings.number("maxNorm")
    var c = 1.0
    if settings.flag("normalize") { c = norm > 0 ? 1 / norm : 0 }
    if limit > 0, α * c * norm > limit {
      c *= limit / (α * c * norm)
      step.count("steps clipped")
    }
    let μ = settings.number("momentum")
    let rule = SampleSpaceRule<S>(
      α: S(α), c: S(c), μ: S(μ), decay: S(α * settings.number("weightDecay")), hasMomentum: μ > 0)
    for (parameter, Δ) in zip(step.parameters, Δ) { step.apply(rule, to: parameter, gradient: Δ) }
  }
}

struct SampleSpaceRule<S: KernelScalar>: UpdateRule {
  let α, c, μ, decay: S
  let hasMomentum: Bool

  var slots: [String?] { [hasMomentum ? "v" : nil] }

  @inline(__always)
  func update(_ x: inout Element<S>) {
    let Δ = c * x.gradient
    x.first = hasMomentum ? μ * x.first + Δ : Δ
    x.value -= α * x.first + decay * x.value
  }
}
