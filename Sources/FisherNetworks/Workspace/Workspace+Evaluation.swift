public import FisherLinearAlgebra

extension Workspace {
  /// The loss of the same batch at other weights. The last forward pass stays what it is.
  public func loss(at values: [Matrix<Scalar>]) -> Double {
    guard let inputs, let labels else {
      fatalError("Workspace: the loss at other weights needs a forward pass with labels before it")
    }
    let trial = trial ?? Workspace(network, backend: backend, threads: threads)
    self.trial = trial
    defer { trial.releaseBatch() }
    return trial.forward(values, inputs, labels)
  }
}
