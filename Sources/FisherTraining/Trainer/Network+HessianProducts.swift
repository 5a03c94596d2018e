public import FisherLinearAlgebra
public import FisherNetworks
public import FisherOptimizers

// Products of the Hessian as optimizers ask for them: by the names of the parameters.

extension Network {
  /// A direction in the order of the parameters, zeros for those that are not named.
  ///
  /// - Parameter direction: by the names of the parameters, each shaped as its parameter.
  /// - Throws: `StepRefusal` that names a layer without second derivatives, if there is one.
  public func hessianDirection(
    _ direction: [String: Matrix<Scalar>]
  ) throws(StepRefusal) -> [Matrix<Scalar>] {
    if let layer = layersWithoutSecondDerivatives.first {
      throw .failed(
        optimizer: "products of the Hessian", place: layer, reason: "the layer has no second derivatives")
    }
    return parameters.map { direction[$0.name] ?? Matrix(rows: $0.rows, columns: $0.columns) }
  }

  /// Matrices in the order of the parameters by their names.
  public func named(_ matrices: [Matrix<Scalar>]) -> [String: Matrix<Scalar>] {
    Dictionary(uniqueKeysWithValues: zip(parameters.map(\.name), matrices))
  }
}

extension Workspace {
  /// H·v on the last forward pass, v and the product by the names of the parameters; see
  /// ``hessianProduct(_:along:into:)``.
  ///
  /// - Parameters:
  ///   - values: those of the forward pass, which had labels.
  ///   - direction: v; zeros for parameters that are not named.
  /// - Throws: `StepRefusal` that names a layer without second derivatives, if there is one.
  public func hessianProduct(
    _ values: [Matrix<Scalar>], along direction: [String: Matrix<Scalar>]
  ) throws(StepRefusal) -> [String: Matrix<Scalar>] {
    var products = network.zeros()
    hessianProduct(values, along: try network.hessianDirection(direction), into: &products)
    return network.named(products)
  }
}
