import FisherCurvature
import FisherLinearAlgebra
import FisherOptimizers

extension SampleSpace {
  /// V·Vᵀ + λ·I for the rows of an exact Fisher matrix; a relative λ is so of the largest mean of the diagonal so far.
  func damped<Kind>(
    _ V: Captures<S, Kind>, _ damping: Double, _ mode: DampingMode, _ step: inout Step<S>
  ) throws(StepRefusal) -> DampedSystem {
    let K = try gram(V)
    var λ = damping
    if mode == .relative {
      // A batch that is fitted has hardly any curvature, and says nothing of what the others have.
      let largest = max(step.scalar("curvature") ?? 0, DampedSystem.scale(of: K))
      step.set("curvature", to: largest)
      λ *= largest
    }
    return DampedSystem(
      K: K, metric: [Double](repeating: 1, count: K.rows), damping: λ, isRelative: false, on: backend,
      threads: threads)
  }

  /// (a − b)·factor.
  func difference(_ a: [Matrix<S>], _ b: [Matrix<S>], times factor: Double) -> [Matrix<S>] {
    zip(a, b).map { a, b in
      Matrix(
        zip(a.array, b.array).map { S((Double($0) - Double($1)) * factor) }, rows: a.rows, columns: a.columns)
    }
  }

  func norm(_ direction: [Matrix<S>]) -> Double {
    direction.reduce(0.0) { sum, part in
      part.withSpan { part in part.indices.reduce(sum) { $0 + Double(part[$1]) * Double(part[$1]) } }
    }.squareRoot()
  }

  /// θ ← θ − α·(v + γ·θ) with v ← μ·v + c·Δ, where c makes a unit step of Δ or bounds it, if that is wanted.
  ///
  /// - Parameters:
  ///   - norm: ‖Δ‖ over all parameters.
  ///   - longest: the largest α·c that the method allows.
  func stage(
    _ Δ: [Matrix<S>], norm: Double, longest: Double = .infinity, _ how: Postprocessing, _ lr: Double,
    _ step: inout Step<S>
  ) {
    let α = lr * step.schedule
    let limit = how.maxNorm
    var c = 1.0
    if how.normalize { c = norm > 0 ? 1 / norm : 0 }
    if limit > 0, α * c * norm > limit {
      c *= limit / (α * c * norm)
      step.count("steps clipped")
    }
    if α * c > longest {
      c = longest / α
      step.count("steps shortened to the trust region")
    }
    let rule = SampleSpaceRule<S>(
      α: S(α), c: S(c), μ: S(how.momentum), decay: S(α * how.weightDecay), hasMomentum: how.momentum > 0)
    for (parameter, Δ) in zip(step.parameters, Δ) { step.apply(rule, to: parameter, gradient: Δ) }
  }
}

struct SampleSpaceRule<S: KernelScalar>: UpdateRule {
  struct State { var v: Lanes<S> }

  let α, c, μ, decay: S
  let hasMomentum: Bool

  var unused: [PartialKeyPath<State>] { hasMomentum ? [] : [\.v] }

  @inline(__always)
  func update(_ x: inout Element<S>, _ state: inout State) {
    let Δ = c * x.gradient
    state.v = hasMomentum ? μ * state.v + Δ : Δ
    x.value -= α * state.v + decay * x.value
  }
}
