import FisherKit

/// What an optimizer in the shadow is shown, and what is taken of its step.
package enum Placebo: Sendable {
  case none, units, samples, norm

  /// The objective as the optimizer in the shadow sees it.
  func shown<S: KernelScalar>(_ objective: any Objective<S>, step: Int) -> any Objective<S> {
    switch self {
    case .none, .norm: objective
    case .units: ShuffledObjective(base: objective) { $0.shufflingUnits(key: $1) }
    case .samples: ShuffledObjective(base: objective) { layer, _ in layer.shufflingSamples(step: step) }
    }
  }

  /// The new values, from those that the optimizer in the shadow has made.
  @specialized(where S == Float) @specialized(where S == Double)
  package func taken<S: KernelScalar>(
    _ moved: [Matrix<S>], from values: [Matrix<S>], _ gradients: [Matrix<S>]
  ) -> [Matrix<S>] {
    guard case .norm = self else { return moved }
    let steps = zip(values, moved).map { old, new in
      var step = old
      axpy(alpha: -1, new, into: &step)
      return step
    }
    let length = Self.norm(gradients)
    let factor = length > 0 ? Self.norm(steps) / length : 0
    return zip(values, gradients).map { old, gradient in
      var new = old
      axpy(alpha: S(-factor), gradient, into: &new)
      return new
    }
  }

  @specialized(where S == Float) @specialized(where S == Double)
  static func norm<S: KernelScalar>(_ matrices: [Matrix<S>]) -> Double {
    matrices.reduce(0) { sum, matrix in matrix.array.reduce(sum) { $0 + Double($1) * Double($1) } }
      .squareRoot()
  }
}

/// A batch whose captures are changed, layer by layer.
private struct ShuffledObjective<Scalar: KernelScalar>: Objective {
  let base: any Objective<Scalar>
  let change: (LayerCapture<Scalar>, _ key: UInt64) -> LayerCapture<Scalar>

  var loss: Double { base.loss }
  var sampleCount: Int { base.sampleCount }
  var captures: Captures<Scalar, Empirical>? { base.captures.map(changed) }
  var outputGradients: OutputGradients<Scalar>? { base.outputGradients }

  func sampledCaptures() throws(StepRefusal) -> Captures<Scalar, Sampled> {
    changed(try base.sampledCaptures())
  }

  func exactFisher() throws(StepRefusal) -> ExactFisher<Scalar> { try base.exactFisher() }

  func loss(at values: [Matrix<Scalar>]) throws(StepRefusal) -> Double { try base.loss(at: values) }

  func captures(
    at values: [String: Matrix<Scalar>]
  ) throws(StepRefusal) -> Captures<Scalar, Empirical> { changed(try base.captures(at: values)) }

  /// The run's own objective is told by the run.
  func planningEnded() {}

  private func changed<Kind>(_ captures: Captures<Scalar, Kind>) -> Captures<Scalar, Kind> {
    // Each layer has an order of its own, the same in every step.
    let keys = captures.layers.keys.sorted().enumerated()
    return Captures(
      Dictionary(
        uniqueKeysWithValues: keys.map { key, name in (name, change(captures.layers[name]!, UInt64(key))) }))
  }
}
