public import FisherCurvature

// What an optimizer cannot go on without.

extension Objective {
  /// ``captures``.
  ///
  /// - Parameter optimizer: the optimizer's name, for the refusal.
  /// - Throws: ``StepRefusal`` if there are none.
  public func captures(for optimizer: String) throws(StepRefusal) -> Captures<Scalar, Empirical> {
    if let captures { return captures }
    throw .unavailable(optimizer: optimizer, what: Needs.captures.description)
  }

  /// ``outputGradients``.
  ///
  /// - Parameter optimizer: the optimizer's name, for the refusal.
  /// - Throws: ``StepRefusal`` if there are none.
  public func outputGradients(for optimizer: String) throws(StepRefusal) -> OutputGradients<Scalar> {
    if let outputGradients { return outputGradients }
    throw .unavailable(optimizer: optimizer, what: Needs.logitGradients.description)
  }

  /// The captures of one layer, whose samples have gradients of their own.
  ///
  /// - Parameters:
  ///   - layer: the name of the layer.
  ///   - improved: each sample's gradients are divided by ‖∂ℓₙ/∂zₙ‖, as `Captures.improved(by:)` does.
  ///   - optimizer: the optimizer's name, for the refusal.
  /// - Throws: ``StepRefusal`` if there are no captures of the layer, or if it mixes the samples.
  public func samples(
    of layer: String, improved: Bool, for optimizer: String
  ) throws(StepRefusal) -> LayerCapture<Scalar> {
    guard let capture = try captures(for: optimizer).layers[layer] else {
      throw .failed(optimizer: optimizer, place: "layer \(layer)", reason: "it has no captures")
    }
    if capture.mixesSamples {
      let mixed = SamplesAreMixed(layer: layer)
      throw .failed(optimizer: optimizer, place: "layer \(layer)", reason: mixed.description)
    }
    if !improved { return capture }
    let outputs = try outputGradients(for: optimizer)
    return Captures<Scalar, Empirical>([layer: capture]).improved(by: outputs).layers[layer] ?? capture
  }
}
