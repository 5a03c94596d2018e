// Muon: K. Jordan et al.: Muon: An optimizer for hidden layers in neural networks, 2024, and its official code.
//
//   hidden matrices, a convolution as outputs × (channels · taps):
//     b ← μ·b + (1 − μ)·g,  u = (1 − μ)·g + μ·b (Nesterov) or b
//     O = NS₅(u), near the orthogonal matrix next to u
//     θ ← (1 − α·γ)·θ − α·√max(1, rows/columns)·O
//   vectors, embeddings and the head: AdamW with a learning rate of its own
//
// Deviations: the iteration runs in the run's element type, not in bfloat16; a convolution's rows and columns are those of
// the matrix, where the official code takes the last two axes, the taps. What the head is, is in Muon.md.

public import FisherLinearAlgebra
public import FisherOptimizers

/// Momentum, replaced by the orthogonal matrix next to it.
public struct Muon: Optimizer {
  /// How long a step is, by the shape of the matrix.
  public enum Scale: String, SettingChoice {
    /// √max(1, rows/columns): the same change of outputs for all shapes.
    case spectral
    /// 0.2·√max(rows, columns): elements as large as those of AdamW's steps.
    case rootMeanSquare
  }

  /// Who updates the last dense layer.
  public enum Head: String, SettingChoice { case adamw, muon }

  @Setting("learning rate α of matrices", .positive, source: "official code") public var lr = 0.02
  @Setting("μ of the momentum", .halfOpen(0, 1), source: "official code") public var momentum = 0.95
  @Setting("look ahead along the momentum", source: "official code") public var nesterov = true
  @Setting("γ: θ is multiplied by 1 − α·γ first", .nonNegative, source: "official code")
  public var weightDecay = 0.0
  @Setting("how the length of a step depends on the shape", source: "official code") public var scale = Scale
    .spectral
  @Setting("iterations of Newton and Schulz", .atLeast(1), source: "official code") public var iterations = 5
  @Setting(
    "who updates the last matrix of the parameters, if that is a dense layer's", source: "Jordan et al. 2024")
  public var head = Head.adamw
  @Setting("learning rate of AdamW: vectors, embeddings, the head", .positive, source: "official code")
  public var adamLr = 3e-4
  @Setting("β₁ of AdamW", .halfOpen(0, 1), source: "official code") public var adamBeta1 = 0.9
  @Setting("β₂ of AdamW", .halfOpen(0, 1), source: "official code") public var adamBeta2 = 0.95
  @Setting("ε of AdamW", .nonNegative, source: "official code") public var adamEps = 1e-10

  public init() {}

  /// What is left out has its default.
  public init(
    lr: Double? = nil, momentum: Double? = nil, nesterov: Bool? = nil, weightDecay: Double? = nil,
    scale: Scale? = nil, iterations: Int? = nil, head: Head? = nil, adamLr: Double? = nil,
    adamBeta1: Double? = nil, adamBeta2: Double? = nil, adamEps: Double? = nil
  ) {
    _lr.set(lr)
    _momentum.set(momentum)
    _nesterov.set(nesterov)
    _weightDecay.set(weightDecay)
    _scale.set(scale)
    _iterations.set(iterations)
    _head.set(head)
    _adamLr.set(adamLr)
    _adamBeta1.set(adamBeta1)
    _adamBeta2.set(adamBeta2)
    _adamEps.set(adamEps)
  }

  public func plan<S: KernelScalar>(_ step: inout Step<S>) throws(StepRefusal) {
    let adam = AdamRule<S>(
      α: adamLr * step.schedule, t: step.number, β1: adamBeta1, β2: adamBeta2, ε: adamEps,
      decoupledDecay: weightDecay)
    let hidden = hiddenMatrices(among: step.parameters)
    for parameter in step.parameters {
      if hidden.contains(parameter.name) {
        try stageOrthogonal(parameter, &step)
      } else {
        step.apply(adam, to: parameter)
      }
    }
  }

  public func reference() -> any ReferenceOptimizer { NaiveMuon(method: self) }

  /// The names of the matrices that are treated as such: of dense layers and convolutions, without the head.
  func hiddenMatrices(among parameters: [ParameterInfo]) -> Set<String> {
    var matrices = parameters.filter {
      ($0.role == .linearWeight || $0.role == .convolutionWeight) && $0.count > 0
    }
    if head == .adamw && matrices.count > 1 && matrices.last?.role == .linearWeight { matrices.removeLast() }
    return Set(matrices.map(\.name))
  }

  private func stageOrthogonal<S: KernelScalar>(
    _ parameter: ParameterInfo, _ step: inout Step<S>
  ) throws(StepRefusal) {
    let g = step.gradient(parameter)
    let b = step.accumulate("b", of: parameter.name, keeping: momentum, adding: 1 - momentum, of: g)
    var u = b
    if nesterov {
      let threads = step.threads
      u = step.temporary(rows: g.rows, columns: g.columns) {
        $0.assign(Combination(1 - momentum, momentum), of: g, b, threads: threads)
      }
    }
    let O = try orthogonalized(u, of: parameter, &step)
    let α = lr * step.schedule
    let rule = DirectionRule<S>(α: S(α * length(parameter)), shrink: S(1 - α * weightDecay))
    step.apply(rule, to: parameter, gradient: O)
  }

  /// What the step is multiplied by.
  private func length(_ parameter: ParameterInfo) -> Double {
    let (m, n) = (Double(parameter.rows), Double(parameter.columns))
    switch scale {
    case .spectral: return max(1, m / n).squareRoot()
    case .rootMeanSquare: return 0.2 * max(m, n).squareRoot()
    }
  }
}
