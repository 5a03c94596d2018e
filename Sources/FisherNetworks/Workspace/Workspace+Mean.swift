import FisherLinearAlgebra

extension Workspace {
  /// What the loss and its gradients are multiplied with to be those of the mean over the terms: exactly 1 if the
  /// network's loss is a mean.
  public var scaleToMean: Double {
    network.reduction.outputGradients(Matrix<Scalar>(rows: 0, columns: 0), terms: termCount).scaleToMean
  }

  /// What they are multiplied with to be those of the sum over the terms.
  var scaleToSum: Double {
    network.reduction.outputGradients(Matrix<Scalar>(rows: 0, columns: 0), terms: termCount).scaleToSum
  }
}
