import FisherCurvature
import FisherLinearAlgebra
import FisherOptimizers

/// A known way to be wrong.
public enum Mutation: String, Sendable, CaseIterable {
  /// Gradient descent under the method's name.
  case descentInDisguise = "gradient descent in disguise"
  /// Gradient descent that looks at signs and at places.
  case lopsided = "steps that depend on sign and place"
  /// The state stays what the first step made of it.
  case frozenState = "frozen state"
  /// The state is forgotten before every step.
  case forgottenState = "forgotten state"
  /// Running averages are kept a little too long.
  case wrongAveraging = "wrong averaging"
  /// Running averages are not corrected for their start.
  case missingBiasCorrection = "missing bias correction"
  /// Gradients are averaged before the method averages them itself.
  case doubleMomentum = "momentum applied twice"
  /// Weight decay is twice as strong.
  case doubleDecay = "decay applied twice"
  /// Inputs and output gradients of a layer have changed places.
  case swappedFactors = "swapped factors"
  /// The captures are those of the first step.
  case staleCaptures = "stale captures"
  /// Gradients of the mean of the losses are taken for those of the sum.
  case wrongScale = "mean taken for sum"
  /// What is computed from running averages now and then stays as it was first.
  case staleInverse = "stale inverse"
  /// What is computed from running averages is its own square: M^(−1/2) for M^(−1/4), say.
  case wrongPower = "wrong power of a matrix"
  /// When a basis of eigenvectors turns, averages in it do not.
  case wrongBasis = "average kept in the wrong basis"
  /// When eigenvectors change places, their second moments do not.
  case unorderedMoments = "second moments not ordered as their eigenvectors"
  /// Memory is taken for every row of every parameter.
  case hoarding = "memory for every row"
  /// The record's formulas of the cost are a quarter too high.
  case wrongCost = "wrong cost"
  /// State is lost where a gradient is missing.
  case lostState = "state lost without a gradient"
  /// Every element goes through code for any element type.
  case unspecialized = "code for any element type"
  /// The record declares everything that can be declared.
  case falsePromises = "false promises"

  /// Whether only a clock notices it.
  public var isTimed: Bool { self == .unspecialized }

  /// Whether an optimizer with these facts can be wrong in this way.
  ///
  /// - Parameters:
  ///   - record: the facts.
  ///   - timed: also in a way that only a clock notices.
  public func applies(to record: OptimizerRecord, timed: Bool = false) -> Bool {
    let hasState = !record.stateSize.hasPrefix("nothing")
    let seesLayers = !record.needs.isDisjoint(with: .captures)
    switch self {
    case .descentInDisguise, .lopsided, .hoarding, .wrongCost, .falsePromises: return true
    case .staleInverse, .wrongPower: return !record.derivedSlots.isEmpty
    case .wrongBasis: return record.eigenbasis?.turning.isEmpty == false
    case .unorderedMoments: return record.eigenbasis?.following.isEmpty == false
    case .frozenState, .forgottenState, .wrongAveraging: return hasState
    case .lostState: return hasState && record.needs.contains(.gradients)
    // Of others the routines decide how long they take.
    case .unspecialized: return timed && record.updatesElements
    case .missingBiasCorrection: return record.dependsOnStepNumber
    case .doubleMomentum: return record.constantResponse != nil && !seesLayers
    case .doubleDecay: return record.weightDecay != nil
    case .swappedFactors, .staleCaptures: return seesLayers
    // Of a method that looks at inputs alone nothing is wrong.
    case .wrongScale: return record.needs.contains(.outputGradients)
    }
  }

  /// The check that is there for this fault, and finds it sooner than the others in their order.
  var noticedBy: String? {
    switch self {
    case .wrongCost: return Check.costAsDeclared.name
    case .hoarding: return Check.steadyState.name
    case .lostState: return Check.missingGradients.name
    case .unspecialized: return Check.fastEnough.name
    default: return nil
    }
  }

  func changed(_ optimizer: any Optimizer) -> any Optimizer {
    switch self {
    case .descentInDisguise: return Descent(settings: optimizer.settings)
    case .lopsided: return Lopsided(settings: optimizer.settings)
    case .hoarding: return optimizer.wrapped(in: Hoard())
    case .doubleDecay: return optimizer.decayingTwice
    case .unspecialized: return optimizer.wrapped(in: Unspecialized())
    default: return optimizer
    }
  }

  /// The facts as the mutant states them.
  func changed(_ record: OptimizerRecord) -> OptimizerRecord {
    var record = record
    switch self {
    case .wrongCost:
      record.cost = Cost(
        record.cost.parts.map { part in
          Cost.Part(part.scope, flops: 5 * part.flops / 4, elements: 5 * part.elements / 4)
        })
    case .falsePromises:
      record.invariances = Invariance.allCases
      record.treatsParametersApart = true
      record.degree = (record.degree ?? 0) + 1
      for promise in Promise.allCases where record.promises[promise] == nil { record.promises[promise] = [:] }
    default: break
    }
    return record
  }

  /// The trace as the mutant sees it.
  func changed(_ trace: Trace) -> Trace {
    if self == .doubleMomentum { return trace.heavyBall }
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
