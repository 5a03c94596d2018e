// PSGD with Kronecker factors: X.-L. Li: Preconditioned Stochastic Gradient Descent, IEEE TNNLS 2018 (arXiv 1512.04202), and
// Preconditioner on Matrix Lie Group for SGD, ICLR 2019; the whitening form and its schedule as in kron_torch, the code of Kron.
//
//   M   the average of the gradients, corrected for its start: a matrix m×n; a convolution is outputs × (channels · taps)
//   V   m×n, independent normal numbers, new in each update
//   X = Q_l·(M + δ·V)·Q_rᵀ,   Y = Q_l⁻ᵀ·V·Q_r⁻¹
//   Q_l ← Q_l − µ/‖XXᵀ + YYᵀ‖·triu(XXᵀ − YYᵀ)·Q_l            Q_r alike, of XᵀX and YᵀY; both from the same X and Y
//   D = Q_lᵀ·Q_l·M·Q_rᵀ·Q_r,  bounded: D·min(1, r/rms(D))
//   θ ← (1 − α·γ)·θ − α·D
//
//   Q is upper triangular; diagonal for vectors, and for axes that are longer than a limit
//
// What is not taken from there is in PSGD.md.

public import FisherLinearAlgebra
public import FisherOptimizers

/// The gradient, whitened on every axis by a triangular factor that is fitted step by step.
public struct PSGD: Optimizer {
  @Setting("learning rate α", .positive, source: "kron_torch") public var lr = 1e-3
  @Setting("β of the momentum, which is whitened", .halfOpen(0, 1), source: "kron_torch") public var beta =
    0.9
  @Setting("µ: how much an update changes a factor", .halfOpen(0, 1), source: "kron_torch")
  public var factorRate = 0.1
  @Setting("δ of the noise δ·V that is whitened with M", .nonNegative, source: "psgd_torch")
  public var damping = 1e-9
  @Setting("r, the largest root mean square of a direction", .positive, source: "kron_torch")
  public var bound = 1.1
  @Setting("γ: θ is multiplied by 1 − α·γ", .nonNegative, source: "kron_torch") public var weightDecay = 0.0
  @Setting("steps from the first on that update all factors", .atLeast(0), source: "kron_torch")
  public var flatSteps = 250
  @Setting("d: after them a share of e^(−d) for every step more", .nonNegative, source: "kron_torch")
  public var shareDecay = 0.001
  @Setting("the share of steps that update a factor, at least", .closed(0, 1), source: "kron_torch")
  public var leastShare = 0.03
  @Setting("axes that are longer have a diagonal factor", .atLeast(0), source: "kron_torch")
  public var maxDimension = 8192
  @Setting("seed of V", .atLeast(0), source: "ours") public var seed = 0

  public init() {}

  /// What is left out has its default.
  public init(
    lr: Double? = nil, beta: Double? = nil, factorRate: Double? = nil, damping: Double? = nil,
    bound: Double? = nil, weightDecay: Double? = nil, flatSteps: Int? = nil, shareDecay: Double? = nil,
    leastShare: Double? = nil, maxDimension: Int? = nil, seed: Int? = nil
  ) {
    _lr.set(lr)
    _beta.set(beta)
    _factorRate.set(factorRate)
    _damping.set(damping)
    _bound.set(bound)
    _weightDecay.set(weightDecay)
    _flatSteps.set(flatSteps)
    _shareDecay.set(shareDecay)
    _leastShare.set(leastShare)
    _maxDimension.set(maxDimension)
    _seed.set(seed)
  }

  public func plan<S: KernelScalar>(_ step: inout Step<S>) throws(StepRefusal) {
    let (t, α) = (step.number, lr * step.schedule)
    let timetable = UpdateShare(flat: flatSteps, decay: shareDecay, least: leastShare)
    for (place, parameter) in step.parameters.enumerated() {
      let m = step.accumulate(
        "m", of: parameter.name, keeping: beta, adding: 1 - beta, of: step.gradient(parameter))
      // M is c·m.
      let c = 1 / (1 - beta.raised(to: t))
      let axes = Axis.axes(of: parameter, longest: maxDimension)
      let root = parameter.count == 0 ? 0 : Double(nrm2(m, on: step.backend)) / Double(m.count).squareRoot()
      start(axes, onScale: c * root, &step)
      let turn = Double(place) / Double(step.parameters.count)
      if timetable.updates(step: t, turn: turn) { update(axes, m, times: c, of: parameter, &step) }
      if timetable.balances(step: t, turn: turn) { balance(axes, &step) }
      let D = whitened(m, axes, of: parameter, &step)
      let size = D.count == 0 ? 0 : c * Double(nrm2(D, on: step.backend)) / Double(D.count).squareRoot()
      let rule = DirectionRule<S>(
        α: S(α * c * (size > bound ? bound / size : 1)), shrink: S(1 - α * weightDecay))
      step.apply(rule, to: parameter, gradient: D)
    }
  }

  public func reference() -> any ReferenceOptimizer { NaivePSGD(method: self) }

  /// D/c = Q_lᵀ·Q_l·m·Q_rᵀ·Q_r with the factors of this step; m itself before there are any.
  private func whitened<S: KernelScalar>(
    _ m: Matrix<S>, _ axes: [Axis], of parameter: ParameterInfo, _ step: inout Step<S>
  ) -> Matrix<S> {
    let factors = axes.compactMap { $0.factor(in: step) }
    if factors.isEmpty { return m }
    let (backend, threads) = (step.backend, step.threads)
    return step.temporary(rows: m.rows, columns: m.columns) { D in
      copy(m, into: &D, on: backend)
      for factor in factors {
        factor.multiply(&D, transposed: false, on: backend, threads: threads)
        factor.multiply(&D, transposed: true, on: backend, threads: threads)
      }
    }
  }
}
