// Goldfarb, Ren & Bahamou: Practical Quasi-Newton Methods for Training Deep Neural Networks, NeurIPS 2020 (arXiv 2006.08877);
// convolutions: Ren, Bahamou & Goldfarb, Kronecker-factored Quasi-Newton Methods for Deep Learning (arXiv 2102.06737).
//
//   h, a, d   a layer's inputs, with a 1 for the bias, its pre-activations, and their gradients; a bar is the mean
//   A ← ρ·A + (1 − ρ)·mean of h·hᵀ,  ρ = min(1 − 1/k, β)
//   M ← μ·M + (1 − μ)·g,  Δ = H_g·M·H_a,  θ⁺ = (1 − α·γ)·θ − α·Δ
//   then the same batch at θ⁺, marked with a plus:
//   s ← β_p·s + (1 − β_p)·(ā⁺ − ā),  y ← β_p·y + (1 − β_p)·(d̄⁺ − d̄)
//   H_g ← BFGS(H_g; double damping of s and y)                         K-BFGS(L): the last p pairs in its place
//   H_a ← BFGS(H_a; s = H_a·h̄, y = (A + √λ·I)·s)                      at first (A + √λ·I)⁻¹ itself
//
// What is not taken from the papers is in KBFGS.md.

public import FisherCurvature
public import FisherLinearAlgebra
public import FisherOptimizers

/// Quasi-Newton with an inverse Hessian of Kronecker products for each linear layer and convolution (K-BFGS), or with the last
/// pairs in the place of one factor (K-BFGS(L)).
public struct KBFGS: Optimizer {
  @Setting("learning rate α", .positive, source: "code of the authors, for MNIST") public var lr = 0.3
  @Setting(
    "λ: √λ is added to A, and √λ, at most 1, is the least curvature of a damped pair", .positive,
    source: "code of the authors, for MNIST")
  public var damping = 0.3
  @Setting("μ of the average of the gradients", .halfOpen(0, 1), source: "code of the authors")
  public var momentum = 0.9
  @Setting("γ: θ is multiplied by 1 − α·γ", .nonNegative, source: "ours: none") public var weightDecay = 0.0
  @Setting(
    "β: the most that an update of A keeps of it; the k-th keeps 1 − 1/k at most", .halfOpen(0, 1),
    source: "code of the authors")
  public var beta = 0.9
  @Setting("β_p of the averages of s and y", .halfOpen(0, 1), source: "code of the authors")
  public var pairBeta = 0.9
  @Setting("μ₁: a damped pair has sᵀy ≥ μ₁·yᵀHy", .halfOpen(0, 1), source: "code of the authors")
  public var inverseDamping = 0.2
  @Setting(
    "p: the pairs that stand for H_g, K-BFGS(L); 0 keeps the matrix, K-BFGS", .atLeast(0),
    source: "Goldfarb, Ren & Bahamou 2020 (K-BFGS); 100 in their K-BFGS(L)")
  public var memory = 0
  @Setting(
    "the first steps, in which H_a is the inverse itself", .atLeast(1),
    source: "ours, in the place of a pass over the data before the first step")
  public var exactSteps = 20
  @Setting(
    "positions of shared weights: samples of their own, or averaged inputs and added gradients",
    source: "Grosse & Martens 2016 (expand)")
  public var sharing = WeightSharing.expand

  public init() {}

  /// What is left out has its default.
  public init(
    lr: Double? = nil, damping: Double? = nil, momentum: Double? = nil, weightDecay: Double? = nil,
    beta: Double? = nil, pairBeta: Double? = nil, inverseDamping: Double? = nil, memory: Int? = nil,
    exactSteps: Int? = nil, sharing: WeightSharing? = nil
  ) {
    _lr.set(lr)
    _damping.set(damping)
    _momentum.set(momentum)
    _weightDecay.set(weightDecay)
    _beta.set(beta)
    _pairBeta.set(pairBeta)
    _inverseDamping.set(inverseDamping)
    _memory.set(memory)
    _exactSteps.set(exactSteps)
    _sharing.set(sharing)
  }

  /// How A is averaged: in every step.
  var averages: FactorAverages {
    var averages = FactorAverages()
    averages.set(beta: beta, sharing: sharing, statisticsPeriod: 1, refreshPeriod: 1)
    return averages
  }

  public func plan<S: KernelScalar>(_ step: inout Step<S>) throws(StepRefusal) {
    if step.parameters.isEmpty { return }
    let layers = KroneckerLayer.layers(of: step.parameters)
    let first = try FisherLabels.empirical.captures(in: step, for: Self.record.name)
    let kept = averages.plan(step: step.number).kept
    averages.update(layers, from: first, wantsOutputs: false, keeping: kept, &step)
    if step.number <= exactSteps { try invertInputFactors(of: layers, &step) }
    // M is a sum, without the factor 1 − μ of the average.
    let α = lr * step.schedule * (1 - momentum)
    let shrink = 1 - lr * step.schedule * weightDecay
    var moves: [LayerMove<S>] = []
    var trial: [String: Matrix<S>] = [:]
    for layer in layers {
      let move = try move(of: layer, α, shrink, &step)
      moves.append(move)
      trial.merge(move.newValues(in: &step)) { $1 }
    }
    let second = try step.objective.captures(at: trial).layers
    for move in moves { learn(from: move, first, second, &step) }
    let rule = DirectionRule<S>(α: S(α), shrink: S(shrink))
    for move in moves {
      for (parameter, part) in move.layer.parts(of: move.Δ) {
        step.apply(rule, to: parameter, gradient: part)
      }
    }
  }

  public func reference() -> any ReferenceOptimizer { NaiveKBFGS(method: self) }

  /// Aᵢ = (A + √λ·I)⁻¹, all in one go.
  private func invertInputFactors<S: KernelScalar>(
    of layers: [KroneckerLayer], _ step: inout Step<S>
  ) throws(StepRefusal) {
    var damped: [DampedFactor<S>] = []
    for layer in layers {
      let A = try layer.inputState("A", in: step, for: Self.record.name)
      damped.append(DampedFactor(A, damping: damping.squareRoot(), as: "Ha", of: layer.owner))
    }
    try step.invert(damped)
  }

  /// Δ = H_g·M·H_a.
  private func move<S: KernelScalar>(
    of layer: KroneckerLayer, _ α: Double, _ shrink: Double, _ step: inout Step<S>
  ) throws(StepRefusal) -> LayerMove<S> {
    let (backend, threads, owner) = (step.backend, step.threads, layer.owner)
    let Ha = try layer.inputState("Ha", in: step, for: Self.record.name)
    let Hg = try InverseHessian<S>(of: layer, memory: memory, in: step, for: Self.record.name)
    var M = step.memory(for: "M", of: owner, rows: layer.outputs, columns: layer.inputs)
    layer.gradient(in: step, plus: S(momentum), times: step.tensor("M", of: owner), into: &M)
    step.set("M", of: owner, to: M)
    let Δ = step.temporary(rows: layer.outputs, columns: layer.inputs) { Δ in
      Hg.apply(to: M, times: Ha, into: &Δ, on: backend, threads: threads)
    }
    return LayerMove(layer: layer, Δ: Δ, Hg: Hg, Ha: Ha, α: α, shrink: shrink)
  }
}
