public import FisherCurvature
public import FisherLinearAlgebra
import FisherRuntime

extension Workspace {
  /// The loss of the same batch at other weights, in the same mode. The last forward pass stays what it is.
  public func loss(at values: [Matrix<Scalar>]) -> Double {
    trying(values) { trial in trial.loss }
  }

  /// What passes through the layers when the same batch is sent forward and backward at other weights, in the same mode.
  /// The last forward pass and its captures stay what they are.
  public func captures(at values: [Matrix<Scalar>]) -> Captures<Scalar, Empirical> {
    trying(values) { trial in trial.labelledCaptures(values) }
  }

  /// A backward pass on the last forward pass, with its labels, for its captures alone.
  ///
  /// - Parameter values: those of the forward pass.
  public func labelledCaptures(_ values: [Matrix<Scalar>]) -> Captures<Scalar, Empirical> {
    var none: [Matrix<Scalar>] = []
    backward(values, into: &none, .captures)
    return Captures(captured(network.reduction.outputGradients))
  }

  /// What the body makes of a forward pass at other weights, in buffers of its own.
  private func trying<Answer>(_ values: [Matrix<Scalar>], _ body: (Workspace) -> Answer) -> Answer {
    guard let inputs, let labels else {
      fatalError("Workspace: the loss at other weights needs a forward pass with labels before it")
    }
    let trial = trial ?? Workspace(network, backend: backend, threads: threads)
    self.trial = trial
    trial.statistics = statistics
    defer { trial.releaseBatch() }
    trial.forward(values, inputs, labels, mode: mode)
    return body(trial)
  }

  /// d/dt output(values + t·direction) at t = 0 on the last forward pass: the Jacobian-vector product, a row a sample.
  ///
  /// - Parameters:
  ///   - values: those of the forward pass.
  ///   - direction: shaped as the parameters.
  public func outputTangent(_ values: [Matrix<Scalar>], along direction: [Matrix<Scalar>]) -> Matrix<Scalar> {
    require(inputs != nil, "Workspace: a tangent needs a forward pass before it")
    withExtendedLifetime((values, direction, inputs)) {
      place(values, in: places.parameters, "values")
      place(direction, in: places.parameterTangents, "directions")
      placeTangents()
      for (index, node) in network.program.nodes.enumerated() where node.learns {
        node.operation.pushForward(call(node, index))
      }
    }
    return tangents[network.program.output.slot].lend(rows: sampleCount)
  }
}
