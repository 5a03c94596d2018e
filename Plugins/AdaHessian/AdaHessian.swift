// AdaHessian: Yao, Gholami, Shen, Mustafa, Keutzer & Mahoney: ADAHESSIAN: An Adaptive Second Order Optimizer for Machine Learning,
// AAAI 2021 (arXiv 2006.00719), algorithm 1, and its official code.
//
//   z   1 or −1 for every parameter, drawn anew (Hutchinson);  H the Hessian of the mean loss of the batch
//   D = |z ⊙ (H·z)|,  of a convolution its mean over the taps of each kernel
//   m ← β₁·m + (1 − β₁)·g
//   v ← β₂·v + (1 − β₂)·D²                                     in steps 1, 1 + T, 1 + 2·T …; u such steps so far
//   θ ← (1 − α·γ)·θ − α·m/(1 − β₁ᵗ) / ( (√v/√(1 − β₂ᵘ))ᵏ + ε )
//
// What is not taken from there is in AdaHessian.md.

public import FisherLinearAlgebra
public import FisherOptimizers
import FisherRuntime

/// Adam with the diagonal of the Hessian in the place of the squared gradient.
public struct AdaHessian: Optimizer {
  public static let record = OptimizerRecord(
    name: "adahessian", title: "AdaHessian",
    summary: "Adam with an estimate of the Hessian's diagonal in the place of the gradient.",
    paper:
      "Yao et al.: ADAHESSIAN: An Adaptive Second Order Optimizer for Machine Learning, AAAI 2021",
    needs: [.gradients, .hessianProducts], hyperparameters: AdaHessian.hyperparameters,
    invariances: [.lossScale, .sign], cost: cost, stateSize: "2·P",
    probes: [
      ["eps": 1e-8], ["hessianPeriod": 3, "weightDecay": 0.1], ["hessianPower": 0.5, "eps": 0.1, "seed": 3],
      ["averagesTaps": false, "beta1": 0],
    ].map { (probe: [String: SettingValue]) in ["lr": 0.05].merging(probe) { $1 } },
    dependsOnStepNumber: true, weightDecay: .decoupled)

  private static var cost: Cost {
    let T = Formula.period("T", "hessianPeriod")
    return Cost(
      [Cost.Part(.parameter, flops: 10 * .P + 5 * .P / T, elements: 7 * .P + 2 * .P / T)],
      note: "beside a product of the Hessian every T steps")
  }

  @Setting("learning rate α", .positive, source: "ours, from a grid on digits") public var lr = 0.03
  @Setting("β₁ of the average of the gradients", .halfOpen(0, 1), source: "code of the authors")
  public var beta1 = 0.9
  @Setting("β₂ of the average of D²", .halfOpen(0, 1), source: "code of the authors")
  public var beta2 = 0.999
  @Setting("ε, added to the denominator", .nonNegative, source: "code of the authors") public var eps = 1e-4
  @Setting("γ: θ is multiplied by 1 − α·γ", .nonNegative, source: "code of the authors")
  public var weightDecay = 0.0
  @Setting("k, the power of the curvature", .closed(0, 1), source: "code of the authors")
  public var hessianPower = 1.0
  @Setting("T: steps from one estimate of the curvature to the next", .atLeast(1), source: "Yao et al. 2021")
  public var hessianPeriod = 1
  @Setting("average D over the taps of a convolution's kernel", source: "code of the authors")
  public var averagesTaps = true
  @Setting("seed of z", .atLeast(0), source: "ours") public var seed = 0

  public init() {}

  /// What is left out has its default.
  public init(
    lr: Double? = nil, beta1: Double? = nil, beta2: Double? = nil, eps: Double? = nil,
    weightDecay: Double? = nil, hessianPower: Double? = nil, hessianPeriod: Int? = nil,
    averagesTaps: Bool? = nil, seed: Int? = nil
  ) {
    _lr.set(lr)
    _beta1.set(beta1)
    _beta2.set(beta2)
    _eps.set(eps)
    _weightDecay.set(weightDecay)
    _hessianPower.set(hessianPower)
    _hessianPeriod.set(hessianPeriod)
    _averagesTaps.set(averagesTaps)
    _seed.set(seed)
  }

  private func estimates(_ number: Int) -> Bool { (number - 1) % hessianPeriod == 0 }

  public func needs(step number: Int) -> Needs {
    estimates(number) ? [.gradients, .hessianProducts] : .gradients
  }

  public func plan<S: KernelScalar>(_ step: inout Step<S>) throws(StepRefusal) {
    let t = step.number
    if estimates(t) && !step.parameters.isEmpty { try averageCurvature(&step) }
    let (α, updates) = (lr * step.schedule, (t - 1) / hessianPeriod + 1)
    let rule = AdaHessianRule<S>(
      α: S(α / (1 - beta1.raised(to: t))), shrink: S(1 - α * weightDecay), β: S(beta1), rest: S(1 - beta1),
      correction: S(1 / (1 - beta2.raised(to: updates)).squareRoot()), power: hessianPower, ε: S(eps))
    for parameter in step.parameters { step.apply(rule, to: parameter) }
  }

  public func reference() -> any ReferenceOptimizer { NaiveAdaHessian(method: self) }

  /// v ← β₂·v + (1 − β₂)·D².
  private func averageCurvature<S: KernelScalar>(_ step: inout Step<S>) throws(StepRefusal) {
    let z = step.probes(.rademacher, seed: seed)
    let Hz = try step.objective.hessianProduct(along: z)
    for parameter in step.parameters {
      guard let z = z[parameter.name], let product = Hz[parameter.name] else {
        throw .failed(optimizer: Self.record.name, place: parameter.name, reason: "no product of the Hessian")
      }
      let threads = step.threads
      var D = step.temporary(rows: z.rows, columns: z.columns) {
        $0.assign(Product(), of: z, product, threads: threads)
      }
      let taps = parameter.shape.dropFirst(2).reduce(1, *)
      if averagesTaps && parameter.role == .convolutionWeight && taps > 1 { average(&D, over: taps) }
      step.accumulateSquares("v", of: parameter.name, keeping: beta2, adding: 1 - beta2, of: D)
    }
  }

  /// Every run of so many elements becomes the mean of their magnitudes.
  private func average<S: KernelScalar>(_ D: inout Matrix<S>, over taps: Int) {
    D.withMutableSpan { d in
      for first in stride(from: 0, to: d.count, by: taps) {
        var sum: S = 0
        for i in first..<first + taps { sum += abs(d[i]) }
        for i in first..<first + taps { d[i] = sum / S(taps) }
      }
    }
  }
}

/// x·y
private struct Product<Scalar: KernelScalar>: PairFunction {
  @inline(__always)
  func value(_ x: Lanes<Scalar>, _ y: Lanes<Scalar>) -> Lanes<Scalar> { x * y }
}

struct AdaHessianRule<S: KernelScalar>: UpdateRule {
  struct State { var m, v: Lanes<S> }

  let α, shrink, β, rest, correction: S
  let power: Double
  let ε: S

  @inline(__always)
  func update(_ x: inout Element<S>, _ state: inout State) {
    state.m = β * state.m + rest * x.gradient
    var size = correction * state.v.squareRoot()
    if power != 1 { size = raised(size) }
    x.value = shrink * x.value - α * state.m / (size + ε)
  }

  private func raised(_ x: Lanes<S>) -> Lanes<S> {
    var x = x
    for lane in 0..<8 { x[lane] = S(pow(Double(x[lane]), power)) }
    return x
  }
}
