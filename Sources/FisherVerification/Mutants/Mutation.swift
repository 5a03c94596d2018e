import FisherCurvature
import FisherLinearAlgebra
import FisherOptimizers

/// A known way to be wrong.
public enum Mutation: String, Sendable, CaseIterable {
  /// Gradient descent under the method's name.
  case descentInDisguise = "gradient descent in disguise"
  /// The state stays what the first step made of it.
  case frozenState = "frozen state"
  /// The state is forgotten before every step.
  case forgottenState = "forgotten state"
  /// Running averages are kept a little too long.
  case wrongAveraging = "wrong averaging"
  /// Running averages are not corrected for their start.
  case missingBiasCorrection = "missing bias correction"
  /// Inputs and output gradients of a layer have changed places.
  case swappedFactors = "swapped factors"
  /// The captures are those of the first step.
  case staleCaptures = "stale captures"
  /// Gradients of the mean of the losses are taken for those of the sum.
  case wrongScale = "mean taken for sum"

  /// Whether an optimizer with these facts can be wrong in this way.
  public func applies(to record: OptimizerRecord) -> Bool {
    let hasState = !record.stateSize.hasPrefix("nothing")
    let seesLayers = !record.needs.isDisjoint(with: .captures)
    switch self {
    case .descentInDisguise: return true
    case .frozenState, .forgottenState, .wrongAveraging: return hasState
    case .missingBiasCorrection: return record.dependsOnStepNumber
    case .swappedFactors, .staleCaptures, .wrongScale: return seesLayers
    }
  }

  func changed(_ optimizer: any Optimizer) -> any Optimizer {
    self == .descentInDisguise ? Descent(settings: optimizer.settings) : optimizer
  }

  /// The trace as the mutant sees it.
  func changed(_ trace: Trace) -> Trace {
    guard let batches = trace.batches else { return trace }
    let changed: [PlainObjective<Double>]
    switch self {
    case .staleCaptures: changed = batches.map { _ in batches[0] }
    case .swappedFactors: changed = batches.map { $0.mapLayers(Self.swapped) }
    case .wrongScale:
      changed = batches.map { batch in
        batch.mapLayers { layer in
          layer.replacing(.ofSum(layer.outputGradients.values, terms: layer.sampleCount))
        }
      }
    default: return trace
    }
    return Trace(
      parameters: trace.parameters, values: trace.values, gradients: trace.gradients, batches: changed)
  }

  private static func swapped(_ layer: LayerCapture<Double>) -> LayerCapture<Double> {
    guard case .linear = layer.kind, layer.inputs.columns == layer.outputGradients.values.columns else {
      return layer
    }
    return LayerCapture(
      kind: layer.kind, inputs: layer.outputGradients.values,
      outputGradients: .ofMean(layer.inputs, terms: layer.sampleCount), sampleCount: layer.sampleCount)
  }
}

/// θ ← θ − α·g, under the settings of another method.
struct Descent: Optimizer {
  static let record = OptimizerRecord(
    name: "descent", title: "Descent", summary: "Gradient descent.", paper: "Cauchy 1847",
    hyperparameters: [],
    invariances: [], cost: "2·P flops", stateSize: "nothing")

  let settings: Settings

  init(settings: Settings) { self.settings = settings }

  func plan<S: KernelScalar>(_ step: inout Step<S>) throws(StepRefusal) {
    let rule = DescentRule<S>(α: S(settings.number("lr") * step.schedule))
    for parameter in step.parameters { step.apply(rule, to: parameter) }
  }

  func reference() -> any ReferenceOptimizer { NaiveDescent() }
}

struct DescentRule<S: KernelScalar>: UpdateRule {
  let α: S

  var slots: [String?] { [] }

  @inline(__always)
  func update(_ x: inout Element<S>) { x.value -= α * x.gradient }
}

private struct NaiveDescent: ReferenceOptimizer {
  mutating func step(_ step: inout ReferenceStep) {}
}
