public import FisherCurvature
public import FisherLinearAlgebra

/// What a backward pass computes and keeps.
public struct BackwardParts: OptionSet, Sendable, Hashable {
  public let rawValue: Int

  public init(rawValue: Int) { self.rawValue = rawValue }

  /// The gradients of the parameters.
  public static let gradients = BackwardParts(rawValue: 1)
  /// Each layer's inputs and pre-activation gradients.
  public static let captures = BackwardParts(rawValue: 2)
}

extension Workspace {
  /// A backward pass on the last forward pass, with its labels.
  ///
  /// - Parameters:
  ///   - values: those of the forward pass.
  ///   - gradients: overwritten with the gradients of the loss; untouched if `parts` leaves them out.
  ///   - parts: with ``BackwardParts/captures``, ``captures`` has them afterwards.
  public func backward(
    _ values: [Matrix<Scalar>], into gradients: inout [Matrix<Scalar>], _ parts: BackwardParts = .gradients
  ) {
    guard let labels else {
      fatalError("Workspace: a backward pass needs a forward pass with labels before it")
    }
    placeGradients()
    _ = evaluate(.given(labels), writingGradients: true)
    propagate(values, &gradients, parts)
    hasCaptures = parts.contains(.captures)
  }

  /// A backward pass on the last forward pass from given gradients of the outputs: rows scaled by weights of the
  /// samples, say.
  ///
  /// - Parameters:
  ///   - outputGradients: of the shape of ``outputs``.
  ///   - gradients: overwritten with Σ over samples of outputGradient·∂output/∂parameter.
  public func backward(
    _ values: [Matrix<Scalar>], from outputGradients: Matrix<Scalar>, into gradients: inout [Matrix<Scalar>]
  ) {
    require(
      outputGradients.rows == sampleCount && outputGradients.columns == network.output.count,
      "Workspace: output gradients \(outputGradients.rows)×\(outputGradients.columns) for \(sampleCount) samples of "
        + "\(network.output)")
    keepCaptures()
    placeGradients()
    outputGradients.withPointer { backend.copy($0, to: places.gradients[network.program.output]) }
    propagate(values, &gradients, .gradients)
  }

  /// A backward pass on the last forward pass, from labels drawn from the model.
  ///
  /// - Parameter seed: which labels are drawn.
  public func sampledCaptures(_ values: [Matrix<Scalar>], seed: UInt64) -> Captures<Scalar, Sampled> {
    require(sampleCount > 0, "Workspace: sampled captures need a forward pass before them")
    keepCaptures()
    placeGradients()
    _ = evaluate(.drawn(RandomStream(seed, 2)), writingGradients: true)
    var none: [Matrix<Scalar>] = []
    propagate(values, &none, .captures)
    return Captures(captured())
  }

  /// What passed through the layers in the last ``backward(_:into:_:)``; nil unless it was asked for.
  public var captures: Captures<Scalar, Empirical>? {
    if let empirical { return empirical }
    return hasCaptures ? Captures(captured()) : nil
  }

  /// dL/dOutput of every sample, of the last ``backward(_:into:_:)`` or sampled pass.
  ///
  /// With an activation fused into the last layer, the gradient of its pre-activations.
  public var outputGradients: OutputGradients<Scalar> {
    network.reduction.outputGradients(
      gradients[network.program.output].lend(rows: sampleCount), terms: termCount)
  }

  /// Another backward pass is about to overwrite what captures show.
  private func keepCaptures() {
    if hasCaptures && empirical == nil { empirical = Captures(captured()) }
  }

  private func placeGradients() {
    for slot in gradients.indices where slot != 0 {
      (places.gradients + slot).initialize(to: gradients[slot].prepare(rows: sampleCount))
    }
  }

  /// From the outputs' gradient back to the first node.
  private func propagate(
    _ values: [Matrix<Scalar>], _ targets: inout [Matrix<Scalar>], _ parts: BackwardParts
  ) {
    let wantsGradients = parts.contains(.gradients)
    placeParameters(values)
    if wantsGradients { placeParameterGradients(&targets) }
    withExtendedLifetime(values) {
      for (index, node) in network.program.nodes.enumerated().reversed() {
        var call = call(node, index)
        call.outputGradient = places.gradients[node.output]
        if node.input != 0 { call.inputGradient = places.gradients[node.input] }
        if wantsGradients {
          call.parameterGradients = UnsafePointer(places.parameterGradients + node.parameters.lowerBound)
        }
        node.operation.backward(call)
      }
    }
  }

  private func placeParameterGradients(_ targets: inout [Matrix<Scalar>]) {
    require(
      targets.count == network.parameters.count,
      "Workspace: room for \(targets.count) gradients of \(network.parameters.count) parameters")
    for (i, info) in network.parameters.enumerated() {
      require(
        targets[i].rows == info.rows && targets[i].columns == info.columns && targets[i].isContiguous,
        "Workspace: room of \(targets[i].rows)×\(targets[i].columns) for the gradient of \(info.summary)")
      (places.parameterGradients + i).initialize(to: targets[i].withMutablePointer(discarding: true) { $0 })
    }
  }

  private func captured() -> [String: LayerCapture<Scalar>] {
    var layers: [String: LayerCapture<Scalar>] = [:]
    for node in network.program.nodes {
      guard let kind = node.operation.kind else { continue }
      let rows = sampleCount * node.operation.positions
      let input = node.input == 0 ? inputs : activations[node.input].lend(rows: sampleCount)
      guard let input else { continue }
      layers[node.name] = LayerCapture(
        kind: kind, inputs: input.reshaped(rows: rows),
        outputGradients: network.reduction.outputGradients(
          gradients[node.output].lend(rows: sampleCount).reshaped(rows: rows), terms: termCount),
        sampleCount: sampleCount)
    }
    return layers
  }
}
