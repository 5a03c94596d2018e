// SOAP: Vyas et al.: SOAP: Improving and Stabilizing Shampoo using Adam, ICLR 2025 (arXiv 2409.11321), and its official code.
//
//   G   the gradient of a matrix, m×n; a convolution is outputs × (channels · taps)
//   the first step only fills L and R, and finds Q_L and Q_R; then, with n = t − 1:
//     G̃ = Q_Lᵀ·G·Q_R
//     m ← β₁·m + (1 − β₁)·G̃,   v ← β₂·v + (1 − β₂)·G̃²
//     θ ← (1 − α·γ)·(θ − α·√(1 − β₂ⁿ)/(1 − β₁ⁿ) · Q_L·( m/(√v + ε) )·Q_Rᵀ)
//     L ← β·L + (1 − β)·G·Gᵀ,   R ← β·R + (1 − β)·Gᵀ·G
//     every f steps, in turn: the columns of Q_L in descending order of qᵀ·L·q, v with them, then Q_L by QR of L·Q_L; Q_R alike;
//     m turns from the old basis to the new one
//   vectors, and axes longer than a limit, keep Q = I
//
// KL-SOAP: Lin et al.: Understanding and Improving the Shampoo Optimizer via Kullback-Leibler Minimization, 2025 (arXiv
// 2509.03378): with `factors=kl`
//   L ← β·L + (1 − β)/n·G·R⁻¹·Gᵀ,   R ← β·R + (1 − β)/m·Gᵀ·L⁻¹·G,  with the former factors on the right
//
// Deviations: convolutions are matrices, where the official code turns every axis; parameters change their bases in turn.

import FisherCurvature
public import FisherLinearAlgebra
public import FisherOptimizers

/// Adam in the eigenbasis of Shampoo's factors.
public struct SOAP: Optimizer, EigenbasisMethod {
  /// What a factor averages: the gradient's products on its side, or those of the gradient that the other has whitened.
  public enum Factors: String, SettingChoice { case outer, kl }

  @Setting("learning rate α", .positive, source: "official code") public var lr = 3e-3
  @Setting("β₁ of the average of G̃", .halfOpen(0, 1), source: "official code") public var beta1 = 0.95
  @Setting("β₂ of the average of G̃²", .halfOpen(0, 1), source: "official code") public var beta2 = 0.95
  @Setting("β of L and R", .halfOpen(0, 1), source: "official code: β₂") public var factorBeta = 0.95
  @Setting("ε, added to √v before its correction", .nonNegative, source: "official code") public var eps =
    1e-8
  @Setting("γ: θ is multiplied by 1 − α·γ last", .nonNegative, source: "official code") public
    var weightDecay = 0.01
  @Setting("f: steps from one basis to the next", .atLeast(1), source: "official code") public
    var basisPeriod = 10
  @Setting("axes that are longer keep Q = I", .atLeast(0), source: "official code") public var maxDimension =
    10_000
  @Setting("how the first basis is found", source: "official code") public var firstBasis = FirstBasis
    .eigenvectors
  @Setting(
    "δ: times the mean of its diagonal, it is added to a factor before an iteration", .nonNegative,
    source: "official code, which has none") public var shift = 0.0
  @Setting("outer: G·Gᵀ, Vyas et al. 2025; kl: G·R⁻¹·Gᵀ, KL-SOAP", source: "Vyas et al. 2025")
  public var factors = Factors.outer
  @Setting(
    "η: with factors=kl, times the mean of its diagonal, it is added to a factor before it is inverted",
    .nonNegative, source: "ours, as Shampoo's") public var damping = 1e-6

  public init() {}

  /// What is left out has its default.
  public init(
    lr: Double? = nil, beta1: Double? = nil, beta2: Double? = nil, factorBeta: Double? = nil,
    eps: Double? = nil, weightDecay: Double? = nil, basisPeriod: Int? = nil, maxDimension: Int? = nil,
    firstBasis: FirstBasis? = nil, shift: Double? = nil, factors: Factors? = nil, damping: Double? = nil
  ) {
    _lr.set(lr)
    _beta1.set(beta1)
    _beta2.set(beta2)
    _factorBeta.set(factorBeta)
    _eps.set(eps)
    _weightDecay.set(weightDecay)
    _basisPeriod.set(basisPeriod)
    _maxDimension.set(maxDimension)
    _firstBasis.set(firstBasis)
    _shift.set(shift)
    _factors.set(factors)
    _damping.set(damping)
  }

  public func plan<S: KernelScalar>(_ step: inout Step<S>) throws(StepRefusal) {
    let n = step.number - 1
    let count = step.parameters.count { !Side.sides(of: $0, longest: maxDimension).isEmpty }
    var turn = 0
    var due: [(parameter: ParameterInfo, sides: [Side])] = []
    for parameter in step.parameters {
      let sides = Side.sides(of: parameter, longest: maxDimension)
      let G = step.gradient(parameter)
      // The first step has no bases.
      var coordinates: Coordinates<S> = ((nil, nil), G, G)
      if n > 0 { coordinates = try stage(parameter, sides, n, &step) }
      if factors == .kl {
        updateWhitenedFactors(sides, G, coordinates, &step)
      } else {
        for side in sides { updateFactor(side, keeping: factorBeta, adding: 1 - factorBeta, of: G, &step) }
      }
      if sides.isEmpty { continue }
      if n == 0 || n % basisPeriod == turn * basisPeriod / count { due.append((parameter, sides)) }
      turn += 1
    }
    if n == 0 {
      try findFirstBases(due.flatMap(\.sides), &step)
    } else {
      try changeBases(of: due, &step)
    }
    if factors == .kl { for side in due.flatMap(\.sides) { setDiagonal(side, &step) } }
  }

  public func reference() -> any ReferenceOptimizer { NaiveSOAP(method: self) }

  /// The bases follow their factors; m turns with them, and the elements of v go with their vectors.
  private func changeBases<S: KernelScalar>(
    of parameters: [(parameter: ParameterInfo, sides: [Side])], _ step: inout Step<S>
  ) throws(StepRefusal) {
    for (place, change) in try moveBases(parameters.map(\.sides), &step).enumerated() {
      turnMoments(of: parameters[place].parameter.name, by: change, &step)
    }
  }

  private func turnMoments<S: KernelScalar>(of name: String, by change: BasisChange<S>, _ step: inout Step<S>)
  {
    guard let m = step.latest("m", of: name), let v = step.latest("v", of: name) else { return }
    let (old, new, orders) = change
    let M = turned(turned(m, outOf: old, &step), into: new, &step)
    // The state keeps it: in memory of its own.
    let backend = step.backend
    step.set("m", of: name, rows: m.rows, columns: m.columns) { copy(M, into: &$0, on: backend) }
    let (rows, columns) = (orders.left ?? Array(0..<v.rows), orders.right ?? Array(0..<v.columns))
    let ordered = v.withSpan { v in
      Matrix<S>(rows: rows.count, columns: columns.count) { v[rows[$0] * columns.count + columns[$1]] }
    }
    step.set("v", of: name, to: ordered)
  }

  /// Adam's step in the basis as it is.
  ///
  /// - Returns: G̃ and what was on the way to it.
  private func stage<S: KernelScalar>(
    _ parameter: ParameterInfo, _ sides: [Side], _ n: Int, _ step: inout Step<S>
  ) throws(StepRefusal) -> Coordinates<S> {
    let (name, threads) = (parameter.name, step.threads)
    let bases = try bases(sides, step)
    let half = turned(step.gradient(parameter), into: (bases.left, nil), &step)
    let G = turned(half, into: (nil, bases.right), &step)
    let m = step.accumulate("m", of: name, keeping: beta1, adding: 1 - beta1, of: G)
    let v = step.accumulateSquares("v", of: name, keeping: beta2, adding: 1 - beta2, of: G)
    // Below rounding of the largest there is no direction: a basis that turns brings m there, but no v.
    let largest = largestMagnitude(v, on: step.backend, threads: threads)
    let ε = eps + Double(S.ulpOfOne) * largest.squareRoot()
    let N = step.temporary(rows: m.rows, columns: m.columns) {
      $0.assign(RootQuotient(1, ε: ε), of: m, v, threads: threads)
    }
    let D = turned(N, outOf: bases, &step)
    let α = lr * step.schedule
    let correction = (1 - beta2.raised(to: n)).squareRoot() / (1 - beta1.raised(to: n))
    step.apply(
      SOAPRule<S>(α: S(α * correction), shrink: S(1 - α * weightDecay)), to: parameter, gradient: D)
    return (bases, half, G)
  }
}

struct SOAPRule<S: KernelScalar>: UpdateRule {
  let α, shrink: S

  @inline(__always)
  func update(_ x: inout Element<S>, _: inout NoState) { x.value = shrink * (x.value - α * x.gradient) }
}
