// Shampoo: Gupta, Koren & Singer: Shampoo: Preconditioned Stochastic Tensor Optimization, ICML 2018, algorithm 2.
// Grafting, blocks, periods: Anil et al.: Scalable Second Order Optimization for Deep Learning, 2020.
//
//   G₍ᵢ₎  the gradient with axis i as rows and all others as columns; k axes
//   m ← β₁·m + (1 − β₁)·G
//   Hᵢ ← β·Hᵢ + (1 − β)·G₍ᵢ₎·G₍ᵢ₎ᵀ, or with β = 1 the sum                        every T₁ steps
//   Pᵢ = (Hᵢ + λ·I)^(−1/2k)                                                       every T₂ steps, in turn
//   D = m ×₁ P₁ ×₂ P₂ … ×ₖ Pₖ,  scaled to the length of another method's step (the graft)
//   θ ← (1 − α·γ)·θ − α·D
//
// KL-Shampoo: Lin et al.: Understanding and Improving the Shampoo Optimizer via Kullback-Leibler Minimization, 2025 (arXiv
// 2509.03378): with `factors=kl`
//   Hᵢ ← β·Hᵢ + (1 − β)·X₍ᵢ₎·X₍ᵢ₎ᵀ/Π_{j≠i} nⱼ,  X = G ×_{j≠i} Pⱼ,  Pᵢ = (Hᵢ + λ·I)^(−1/2)
//
// What is not taken from the papers is in Shampoo.md.

public import FisherLinearAlgebra
public import FisherOptimizers

/// The gradient, multiplied on every axis by a root of its second moments there.
public struct Shampoo: Optimizer {
  /// Whose length the step of a parameter gets: its own, that of the momentum, of AdaGrad, or of Adam.
  public enum Graft: String, SettingChoice { case none, sgd, adagrad, adam }

  /// The axes that are preconditioned.
  public enum Sides: String, SettingChoice { case all, shorter }

  /// How roots are computed.
  public enum Root: String, SettingChoice { case eigen, newton }

  /// What λ multiplies: nothing, or the mean of the diagonal of Hᵢ.
  public enum DampingForm: String, SettingChoice { case absolute, relative }

  /// What a factor averages: the gradient's products on its axis, or those of the gradient that the others have whitened.
  public enum Factors: String, SettingChoice { case outer, kl }

  @Setting("learning rate α", .positive, source: "ours, see Shampoo.md") public var lr = 2e-3
  @Setting("β₁ of the momentum, before the preconditioner", .halfOpen(0, 1), source: "Anil et al. 2020")
  public var beta1 = 0.9
  @Setting("β of the average of second moments; 1: their sum", .closed(0, 1), source: "ours, see Shampoo.md")
  public var beta2 = 0.99
  @Setting(
    "λ, added to the diagonal of each factor", .nonNegative, source: "optax, there of the largest eigenvalue")
  public var damping = 1e-6
  @Setting(
    "outer: of G, Gupta et al. 2018; kl: of G whitened on all other axes, KL-Shampoo",
    source: "Gupta et al. 2018")
  public var factors = Factors.outer
  @Setting("λ itself, or λ times the mean of the diagonal", source: "optax, nearly") public var dampingForm =
    DampingForm
    .relative
  @Setting("γ: θ is multiplied by 1 − α·γ first", .nonNegative, source: "ours") public var weightDecay = 0.0
  @Setting(
    "whose length the step gets; unless given none with factors=kl", source: "Anil et al. 2020; Meta's code")
  public var graft = Graft
    .adam
  @Setting("β of the squares of Adam's length", .halfOpen(0, 1), source: "Kingma & Ba 2015")
  public var graftBeta = 0.999
  @Setting("ε of AdaGrad's and Adam's length", .nonNegative, source: "optax") public var graftEps = 1e-10
  @Setting(
    "the first step that is preconditioned; those before are the graft's", .atLeast(1), source: "optax")
  public var startStep = 5
  @Setting("T₁: steps from one update of the factors to the next", .atLeast(1), source: "Gupta et al. 2018")
  public var statisticsPeriod = 1
  @Setting("T₂: steps from one root of a factor to the next", .atLeast(1), source: "ours") public
    var rootPeriod = 20
  @Setting("axes that are longer are cut into blocks", .atLeast(1), source: "Meta's code") public
    var blockSize = 1024
  @Setting("precondition all axes, or the shortest one alone", source: "Gupta et al. 2018") public var sides =
    Sides.all
  @Setting("roots by eigenvectors, or by the coupled Newton iteration", source: "Meta's code")
  public var root = Root.eigen

  public init() {}

  /// What is left out has its default.
  public init(
    lr: Double? = nil, beta1: Double? = nil, beta2: Double? = nil, damping: Double? = nil,
    dampingForm: DampingForm? = nil, weightDecay: Double? = nil, graft: Graft? = nil,
    graftBeta: Double? = nil,
    graftEps: Double? = nil, startStep: Int? = nil, statisticsPeriod: Int? = nil, rootPeriod: Int? = nil,
    blockSize: Int? = nil, sides: Sides? = nil, root: Root? = nil, factors: Factors? = nil
  ) {
    _lr.set(lr)
    _beta1.set(beta1)
    _beta2.set(beta2)
    _damping.set(damping)
    _dampingForm.set(dampingForm)
    _weightDecay.set(weightDecay)
    _graft.set(graft)
    _graftBeta.set(graftBeta)
    _graftEps.set(graftEps)
    _startStep.set(startStep)
    _statisticsPeriod.set(statisticsPeriod)
    _rootPeriod.set(rootPeriod)
    _blockSize.set(blockSize)
    _sides.set(sides)
    _root.set(root)
    _factors.set(factors)
  }

  public func plan<S: KernelScalar>(_ step: inout Step<S>) throws(StepRefusal) {
    let t = step.number
    let blocks = step.parameters.map { TensorBlock.blocks(of: $0, for: self) }
    if (t - 1) % statisticsPeriod == 0 {
      for (parameter, blocks) in zip(step.parameters, blocks) {
        for block in blocks { try updateFactors(of: block, step.gradient(parameter), &step) }
      }
    }
    if t >= startStep { try refreshRoots(of: blocks.flatMap { $0 }, &step) }
    // The bias correction of m is part of α.
    let α = lr * step.schedule
    for (parameter, blocks) in zip(step.parameters, blocks) {
      let m = step.accumulate(
        "m", of: parameter.name, keeping: beta1, adding: 1 - beta1, of: step.gradient(parameter))
      let model = grafted(m, of: parameter, &step)
      var (D, scale) = (model.direction, 1.0)
      if t >= startStep {
        D = try preconditioned(m, of: parameter, blocks, &step)
        if let length = model.length { scale = length / (Double(nrm2(D, on: step.backend)) + 1e-16) }
      }
      let rule = DirectionRule<S>(
        α: S(α * scale / (1 - beta1.raised(to: t))), shrink: S(1 - α * weightDecay))
      step.apply(rule, to: parameter, gradient: D)
    }
  }

  /// KL-Shampoo has a length of its own.
  var graftInUse: Graft { $graft.or(.none, if: factors == .kl) }

  /// p of the roots Hᵢ^(−1/p) of k preconditioned axes.
  func rootOrder(axes k: Int) -> Int { factors == .kl ? 2 : 2 * k }

  public func reference() -> any ReferenceOptimizer { NaiveShampoo(method: self) }
}
