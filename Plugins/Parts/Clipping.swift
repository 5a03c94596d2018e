// Gradients are bounded before the method sees them, by what also bounds them for a whole run, `Clipping`. What passes
// through layers, captures, stays as it is.

public import FisherLinearAlgebra
public import FisherOptimizers

/// Every element of the gradients is moved into [−limit, limit].
public struct ClipValue: OptimizerPart {
  public static let record = PartRecord(
    name: "clip-value", title: "clipping by value", summary: "Elements of gradients are bounded.",
    paper: "Mikolov 2012", place: .before, concerns: .gradients, cost: Cost(flops: 2 * .P, elements: 2 * .P),
    probes: [["limit": 0.5], ["limit": 1e9]],
    keeps: PartRecord.Kept(
      invariances: [.elementPermutation, .unitPermutation, .sign], decay: [.decoupled, .implicit],
      degree: false))

  @Setting("largest element", .positive, source: "ours") public var limit = 1.0

  public init() {}

  public init(limit: Double) { self.limit = limit }

  public func plan<S: KernelScalar>(
    _ step: inout Step<S>, around method: WrappedMethod<S>
  ) throws(StepRefusal) {
    for parameter in step.parameters {
      let bounded = step.direction(of: parameter, Bounded(S(limit)), step.gradient(parameter))
      step.show(bounded, for: parameter)
    }
    try method.plan(&step)
  }

  public func reference(around method: any ReferenceOptimizer, lr: Double) -> any ReferenceOptimizer {
    NaiveClipping(method: method) { [limit] _, gradients in
      gradients.map { $0.map { $0 > limit ? limit : $0 < -limit ? -limit : $0 } }
    }
  }
}

/// If the norm of all gradients of the method together exceeds the limit, they are scaled to it.
public struct ClipNorm: OptimizerPart {
  public static let record = PartRecord(
    name: "clip-norm", title: "clipping by norm", summary: "The norm of all gradients is bounded.",
    paper: "Pascanu et al. 2013", place: .before, concerns: .gradients,
    cost: Cost(flops: 3 * .P, elements: 0), probes: [["limit": 2], ["limit": 1e9]],
    keeps: .clipped(groups: false))

  @Setting("largest norm", .positive, source: "ours") public var limit = 1.0

  public init() {}

  public init(limit: Double) { self.limit = limit }

  public func plan<S: KernelScalar>(
    _ step: inout Step<S>, around method: WrappedMethod<S>
  ) throws(StepRefusal) { try step.clip([step.parameters], by: limit, method) }

  public func reference(around method: any ReferenceOptimizer, lr: Double) -> any ReferenceOptimizer {
    NaiveClipping(method: method) { [limit] _, gradients in naivelyBounded(gradients, by: limit) }
  }
}

/// Like ``ClipNorm``, each layer for itself: its weight and its bias together.
public struct ClipLayer: OptimizerPart {
  public static let record = PartRecord(
    name: "clip-layer", title: "clipping by layer", summary: "The norm of each layer's gradients is bounded.",
    paper: "Pascanu et al. 2013", place: .before, concerns: .gradients,
    cost: Cost(flops: 3 * .P, elements: 0), probes: [["limit": 1.5], ["limit": 1e9]],
    keeps: .clipped(groups: true))

  @Setting("largest norm of a layer", .positive, source: "ours") public var limit = 1.0

  public init() {}

  public init(limit: Double) { self.limit = limit }

  public func plan<S: KernelScalar>(
    _ step: inout Step<S>, around method: WrappedMethod<S>
  ) throws(StepRefusal) { try step.clip(Self.layers(of: step.parameters), by: limit, method) }

  /// The parameters of each layer; those without a layer are alone.
  private static func layers(of parameters: [ParameterInfo]) -> [[ParameterInfo]] {
    var (layers, places) = ([[ParameterInfo]](), [String: Int]())
    for parameter in parameters {
      if let layer = parameter.layer, let place = places[layer] {
        layers[place].append(parameter)
      } else {
        if let layer = parameter.layer { places[layer] = layers.count }
        layers.append([parameter])
      }
    }
    return layers
  }

  public func reference(around method: any ReferenceOptimizer, lr: Double) -> any ReferenceOptimizer {
    NaiveClipping(method: method) { [limit] parameters, gradients in
      parameters.indices.map { p in
        let layer = parameters.indices.filter {
          $0 == p || (parameters[p].layer != nil && parameters[$0].layer == parameters[p].layer)
        }
        return naivelyBounded(layer.map { gradients[$0] }, by: limit)[layer.firstIndex(of: p)!]
      }
    }
  }
}

/// x moved into [−limit, limit].
struct Bounded<S: KernelScalar>: PairFunction {
  /// −limit.
  private let least: Lanes<S>

  init(_ limit: S) { least = Lanes(repeating: -limit) }

  /// min(limit, y) is −max(−limit, −y).
  @inline(__always)
  func value(_ x: Lanes<S>, _: Lanes<S>) -> Lanes<S> { -Lanes.maximum(least, -Lanes.maximum(least, x)) }
}

extension PartRecord.Kept {
  /// Norms know of no bases, and scale with the loss.
  fileprivate static func clipped(groups: Bool) -> Self {
    Self(
      invariances: [.elementPermutation, .unitPermutation, .sign, .rotation], decay: [.decoupled, .implicit],
      degree: false, groups: groups)
  }
}

extension Step {
  /// Shows the method gradients of bounded norms, those of each list together.
  fileprivate mutating func clip(
    _ lists: [[ParameterInfo]], by limit: Double, _ method: WrappedMethod<Scalar>
  ) throws(StepRefusal) {
    for list in lists {
      var bounded = list.map { parameter in
        let g = gradient(parameter)
        var copied = memory(for: "g", of: parameter.name, rows: g.rows, columns: g.columns)
        copy(g, into: &copied, on: backend)
        return copied
      }
      _ = Clipping.norm(limit).apply(to: &bounded, on: backend)
      for (parameter, g) in zip(list, bounded) {
        show(g, for: parameter)
        keep(g, for: "g", of: parameter.name)
      }
    }
    try method.plan(&self)
  }
}
