public import FisherCurvature
public import FisherLinearAlgebra
import FisherRuntime

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
    backward(values, into: &gradients, parts) { _ in }
  }

  /// The same, telling of each gradient when it is complete: of the last parameter first, and of the first one last.
  ///
  /// - Parameter finished: gets the gradient where it lies. The rest of the pass neither reads nor writes it, and it stays
  ///   there until the caller touches `gradients` again.
  package func backward(
    _ values: [Matrix<Scalar>], into gradients: inout [Matrix<Scalar>], _ parts: BackwardParts,
    finished: (UnsafeMutableBufferPointer<Scalar>) -> Void
  ) {
    prepareOutputGradients()
    propagate(values, &gradients, parts, finished)
    hasCaptures = parts.contains(.captures)
  }

  /// Sees to it that ``outputGradients`` are there, also after a forward pass for evaluation.
  public func prepareOutputGradients() {
    guard let labels else {
      fatalError("Workspace: a backward pass needs a forward pass with labels before it")
    }
    if hasOutputGradient { return }
    placeGradients()
    _ = evaluate(.given(labels), writingGradients: true)
    hasOutputGradient = true
  }

  /// A backward pass on the last forward pass from given gradients of the outputs: rows scaled by weights of the
  /// samples, say.
  ///
  /// - Parameters:
  ///   - values: those of the forward pass.
  ///   - outputGradients: of the shape of ``outputs``.
  ///   - gradients: overwritten with Σ over samples of outputGradient·∂output/∂parameter.
  public func backward(
    _ values: [Matrix<Scalar>], from outputGradients: Matrix<Scalar>, into gradients: inout [Matrix<Scalar>]
  ) {
    require(
      outputGradients.rows == sampleCount && outputGradients.columns == network.output.count,
      "Workspace: output gradients of \(outputGradients.rows)×\(outputGradients.columns) for \(sampleCount) "
        + "samples of \(network.output)")
    keepCaptures()
    placeGradients()
    outputGradients.withPointer { backend.copy($0, to: places.gradients[network.program.output.slot]) }
    propagate(values, &gradients, .gradients)
  }

  /// A backward pass on the last forward pass, from labels drawn from the model.
  ///
  /// - Parameters:
  ///   - values: those of the forward pass.
  ///   - seed: which labels are drawn.
  ///   - firstSample: the number of the first sample in a larger batch: its labels do not depend on how it is cut.
  public func sampledCaptures(
    _ values: [Matrix<Scalar>], seed: UInt64, firstSample: Int = 0
  ) -> Captures<Scalar, Sampled> {
    drawLabels(seed: seed, firstSample: firstSample)
    var none: [Matrix<Scalar>] = []
    propagate(values, &none, .captures)
    return Captures(captured(network.reduction.outputGradients))
  }

  /// What passed through the layers in the last ``backward(_:into:_:)``; nil unless it was asked for.
  public var captures: Captures<Scalar, Empirical>? {
    keptCaptures ?? (hasCaptures ? Captures(captured(network.reduction.outputGradients)) : nil)
  }

  /// dL/dOutput of every sample as the forward pass with labels left it, before a backward pass; nil at other times.
  public var outputGradients: OutputGradients<Scalar>? {
    guard hasOutputGradient else { return nil }
    return network.reduction.outputGradients(
      gradients[network.program.output.slot].lend(rows: sampleCount), terms: termCount)
  }

  /// Another backward pass is about to overwrite what captures show.
  func keepCaptures() {
    if hasCaptures && keptCaptures == nil { keptCaptures = captures }
    hasOutputGradient = false
  }

  /// From the outputs' gradient back to the first node that learns.
  @specialized(where Scalar == Float) @specialized(where Scalar == Double)
  func propagate(
    _ values: [Matrix<Scalar>], _ targets: inout [Matrix<Scalar>], _ parts: BackwardParts,
    _ finished: (UnsafeMutableBufferPointer<Scalar>) -> Void = { _ in }
  ) {
    withExtendedLifetime((values, inputs)) {
      beginBackward(values, &targets, parts)
      for (index, node) in network.program.nodes.enumerated().reversed() where node.learns {
        node.operation.backward(backwardCall(node, index, parts))
        // A table that is multiplied with is complete when it has been looked up, too.
        if node.table != nil || !parts.contains(.gradients) { continue }
        for i in node.parameters.reversed() { finished(places.gradient(ofParameter: i)) }
      }
    }
  }

  /// All that comes before the last node. The caller keeps the values and the targets.
  func beginBackward(
    _ values: [Matrix<Scalar>], _ targets: inout [Matrix<Scalar>], _ parts: BackwardParts
  ) {
    hasOutputGradient = false
    place(values, in: places.parameters, "values")
    if parts.contains(.gradients) { placeParameterGradients(&targets) }
  }

  /// What a node works on, on the way back.
  func backwardCall(_ node: Node<Scalar>, _ index: Int, _ parts: BackwardParts) -> NodeCall<Scalar> {
    var call = call(node, index)
    if parts.contains(.gradients) {
      call.parameterGradients = UnsafePointer(places.parameterGradients + node.parameters.lowerBound)
    }
    return call
  }

  /// Draws labels from the model for a backward pass that follows; see ``sampledCaptures(_:seed:firstSample:)``.
  func drawLabels(seed: UInt64, firstSample: Int) {
    require(inputs != nil, "Workspace: sampled captures need a forward pass before them")
    keepCaptures()
    placeGradients()
    let words = firstSample * network.output.positions * network.loss.wordsPerRow(network.output.features)
    _ = evaluate(.drawn(RandomStream(seed, 2).advanced(by: words)), writingGradients: true)
  }
}
