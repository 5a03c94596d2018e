// AdaFisher: Gomes, Zhang, Belilovsky, Wolf & Hosseini: AdaFisher: Adaptive Second Order Optimization via Fisher
// Information, ICLR 2025 (arXiv 2405.16397).
//
//   H, S     diagonals of the Kronecker factors of a layer: mean squares of its inputs and of its output gradients
//   state ← keep·state + mix·new
//   F̃[o, j] = S[o]·H[j] + λ, with H and S scaled to [0, 1] by their minimum and maximum
//   m ← β·m + (1 − β)·(g + γ·θ)
//   θ ← θ − α/(1 − βᵗ)·m/F̃
//
// AdaFisherW leaves γ·θ out of m and subtracts α·γ·θ beside the update, with the old θ.
//
// The published formula and the published code are different algorithms; `variant` chooses one, and AdaFisher.md lists
// the switches and every deviation. Parameters find their layer by name: a parameter without factors has F̃ = λ.

public import FisherLinearAlgebra
public import FisherOptimizers

/// Momentum divided by the diagonal of a Kronecker-factored empirical Fisher matrix.
public typealias AdaFisher = AdaFisherMethod<CoupledDecay>

/// AdaFisher with the decay beside the update, where it is not divided by F̃.
public typealias AdaFisherW = AdaFisherMethod<DecoupledDecay>

/// ``AdaFisher`` and ``AdaFisherW``. What is not set follows the variant.
public struct AdaFisherMethod<Decay: DecayForm>: Optimizer {
  @Setting("learning rate α; official 1e-3", .positive, source: "ours; official: published code")
  public var lr = 1e-2
  @Setting("β of the average of g", .halfOpen(0, 1), source: "Gomes et al. 2025") public var beta = 0.9
  @Setting("λ, added to S·H; official 1e-3", .positive, source: "ours; official: published code")
  public var lambda = 1e-2
  @Setting(
    Decay.isDecoupled ? "γ: α·γ·θ is subtracted beside the update" : "γ: γ·θ is added to the gradient",
    .nonNegative, source: Decay.isDecoupled ? "published code, vision transformers" : "Gomes et al. 2025")
  public var weightDecay = Decay.isDecoupled ? 0.01 : 0
  @Setting(
    "which of the two published algorithms; everything that says 'official' follows it",
    source: "Gomes et al. 2025")
  public var variant = AdaFisherVariant.paper
  @Setting("steps from one refresh of the factors to the next; official 100", .atLeast(1), source: code)
  public var refresh = 1
  @Setting("how much of the old factors stays; official 0.08", .closed(0, 1), source: code)
  public var keep = 0.8
  @Setting("the weight of new factors; official 0.008", .closed(0, 1), source: code) public var mix = 0.2
  @Setting(
    "min-max scaling of what enters the average, or of what is read; official beforeEMA", source: code)
  public var placement = AdaFisherPlacement.afterEMA
  @Setting("ε of the scaling; official 1e-6", .nonNegative, source: code) public var minMaxEps = 0.0
  @Setting("divide a convolution's H by the patch size too; official true", source: code)
  public var convDivisor = false
  @Setting(
    "S of the gradients, or of those divided by ‖∂ℓ/∂z‖ of their sample",
    source: "paper; Wu et al. 2024, appendix D.2 (improved)")
  public var fisher = AdaFisherMatrix.empirical
  @Setting(
    "a placebo instead of F̃: its geometric mean over the layer, or λ",
    source: "ours, for honest comparisons")
  public var control = AdaFisherControl.none

  private static var code: String { "published code; the paper's values are the default" }

  public init() {}

  /// What is left out has its default.
  public init(
    lr: Double? = nil, beta: Double? = nil, lambda: Double? = nil, weightDecay: Double? = nil,
    variant: AdaFisherVariant? = nil, refresh: Int? = nil, keep: Double? = nil, mix: Double? = nil,
    placement: AdaFisherPlacement? = nil, minMaxEps: Double? = nil, convDivisor: Bool? = nil,
    fisher: AdaFisherMatrix? = nil, control: AdaFisherControl? = nil
  ) {
    _lr.set(lr)
    _beta.set(beta)
    _lambda.set(lambda)
    _weightDecay.set(weightDecay)
    _variant.set(variant)
    _refresh.set(refresh)
    _keep.set(keep)
    _mix.set(mix)
    _placement.set(placement)
    _minMaxEps.set(minMaxEps)
    _convDivisor.set(convDivisor)
    _fisher.set(fisher)
    _control.set(control)
  }

  public func needs(step number: Int) -> Needs { ResolvedAdaFisher(self).needs(step: number) }

  public func plan<S: KernelScalar>(_ step: inout Step<S>) throws(StepRefusal) {
    try ResolvedAdaFisher(self).plan(&step)
  }

  public func reference() -> any ReferenceOptimizer { NaiveAdaFisher(method: ResolvedAdaFisher(self)) }
}
