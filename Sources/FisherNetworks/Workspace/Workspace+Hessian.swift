public import FisherLinearAlgebra
import FisherRuntime

extension Network {
  /// The layers whose backward pass has no tangent: with one of them there are no products of the Hessian.
  public var layersWithoutSecondDerivatives: [String] {
    program.nodes.filter { ($0.operation as? any TwiceDifferentiable)?.hasSecondDerivatives != true }
      .map(\.name)
  }
}

extension Workspace {
  /// H·v on the last forward pass, H being the Hessian of its loss by the parameters: forward over reverse, exact to rounding
  /// (B. A. Pearlmutter: Fast Exact Multiplication by the Hessian, Neural Computation 1994).
  ///
  /// A pass of tangents forward, a backward pass for the gradients by what lies between the layers, and the tangent of that pass:
  /// about four times the products of a forward pass and a backward pass of its own. Rectifiers and maxima have the second
  /// derivative 0. The captures of the last backward pass stay what they are.
  ///
  /// - Parameters:
  ///   - values: those of the forward pass, which had labels.
  ///   - direction: v, shaped as the parameters.
  ///   - products: overwritten with H·v.
  /// - Precondition: every layer has second derivatives, ``Network/layersWithoutSecondDerivatives``.
  public func hessianProduct(
    _ values: [Matrix<Scalar>], along direction: [Matrix<Scalar>], into products: inout [Matrix<Scalar>]
  ) {
    let missing = network.layersWithoutSecondDerivatives
    require(missing.isEmpty, "Workspace: no second derivatives of \(missing.joined(separator: ", "))")
    guard let labels else {
      fatalError("Workspace: a product of the Hessian needs a forward pass with labels before it")
    }
    keepCaptures()
    _ = outputTangent(values, along: direction)
    prepareOutputGradients()
    var none: [Matrix<Scalar>] = []
    propagate(values, &none, [])
    hasCaptures = false
    placeGradientTangents()
    placeParameterGradients(&products)
    pushLoss(labels)
    withExtendedLifetime((values, direction, inputs)) {
      for (index, node) in network.program.nodes.enumerated().reversed() where node.learns {
        guard let operation = node.operation as? any TwiceDifferentiable<Scalar> else { continue }
        operation.pushBackward(call(node, index), tangents(of: node))
      }
    }
  }

  /// The tangent of the gradient by the outputs.
  private func pushLoss(_ labels: Labels<Scalar>) {
    let (slot, columns) = (network.program.output.slot, network.output.features)
    network.loss.curvatureProduct(
      places.activations[slot].readOnly.reshaped(columns: columns),
      places.tangents[slot].readOnly.reshaped(columns: columns), labels, rowWeights: rowWeights,
      scale: network.reduction.weight(terms: termCount),
      to: places.gradientTangents[slot].reshaped(columns: columns), on: backend)
  }

  private func tangents(of node: Node<Scalar>) -> GradientTangents<Scalar> {
    GradientTangents(
      output: places.gradientTangents[node.output],
      input: node.inputLearns ? places.gradientTangents[node.input] : nil,
      other: node.otherLearns ? node.other.map { places.gradientTangents[$0] } : nil,
      parameters: UnsafePointer(places.parameterGradients + node.parameters.lowerBound))
  }
}
