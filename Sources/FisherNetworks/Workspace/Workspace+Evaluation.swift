public import FisherLinearAlgebra
import FisherRuntime

extension Workspace {
  /// The loss of the same batch at other weights, in the same mode. The last forward pass stays what it is.
  public func loss(at values: [Matrix<Scalar>]) -> Double {
    guard let inputs, let labels else {
      fatalError("Workspace: the loss at other weights needs a forward pass with labels before it")
    }
    let trial = trial ?? Workspace(network, backend: backend, threads: threads)
    self.trial = trial
    trial.statistics = statistics
    defer { trial.releaseBatch() }
    return trial.forward(values, inputs, labels, mode: mode)
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
