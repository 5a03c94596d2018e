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
public struct AdaFisher: Optimizer {
  public static let record = AdaFisherMethod.record(
    name: "adafisher", title: "AdaFisher", decay: 0, decoupled: false,
    summary: "Divides the averaged gradient by the diagonal of a Kronecker-factored empirical Fisher matrix.")

  public let settings: Settings

  public init(settings: Settings) { self.settings = settings }

  public func needs(step number: Int) -> Needs {
    AdaFisherMethod(settings, decoupled: false).needs(step: number)
  }

  public func plan<S: KernelScalar>(_ step: inout Step<S>) throws(StepRefusal) {
    try AdaFisherMethod(settings, decoupled: false).plan(&step)
  }

  public func reference() -> any ReferenceOptimizer { NaiveAdaFisher(settings, decoupled: false) }
}

/// AdaFisher with the decay beside the update, where it is not divided by F̃.
public struct AdaFisherW: Optimizer {
  public static let record = AdaFisherMethod.record(
    name: "adafisherw", title: "AdaFisherW", decay: 0.01, decoupled: true,
    summary: "AdaFisher with weight decay that is not divided by the Fisher matrix.")

  public let settings: Settings

  public init(settings: Settings) { self.settings = settings }

  public func needs(step number: Int) -> Needs {
    AdaFisherMethod(settings, decoupled: true).needs(step: number)
  }

  public func plan<S: KernelScalar>(_ step: inout Step<S>) throws(StepRefusal) {
    try AdaFisherMethod(settings, decoupled: true).plan(&step)
  }

  public func reference() -> any ReferenceOptimizer { NaiveAdaFisher(settings, decoupled: true) }
}
