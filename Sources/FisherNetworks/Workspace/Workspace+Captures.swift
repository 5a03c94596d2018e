import FisherCurvature
import FisherLinearAlgebra

extension Workspace {
  /// What the buffers show after a backward pass.
  ///
  /// - Parameter labelled: says what the gradients in the buffers are gradients of, given the number of terms.
  func captured(
    _ labelled: (Matrix<Scalar>, _ terms: Int) -> OutputGradients<Scalar>
  ) -> [String: LayerCapture<Scalar>] {
    var layers: [String: LayerCapture<Scalar>] = [:]
    for (index, node) in network.program.nodes.enumerated() {
      guard let kind = node.operation.kind, let inputs else { continue }
      let rows = sampleCount * node.operation.positions
      let input =
        node.operation.capturesPositions
        ? positionNumbers(node.operation.positions)
        : node.input == 0 ? inputs : activations[node.input].lend(rows: sampleCount)
      let gradient = gradients[node.output].lend(rows: sampleCount)
      let capture = LayerCapture(
        kind: kind, inputs: input.reshaped(rows: rows),
        outputGradients: labelled(gradient.reshaped(rows: rows), termCount), sampleCount: sampleCount,
        normalized: normalized(node, index)?.reshaped(rows: rows), mixesSamples: mixesSamples(kind))
      guard let table = node.table, let lookup = layers[network.program.nodes[table].name] else {
        layers[node.name] = capture
        continue
      }
      layers[network.program.nodes[table].name] = LayerCapture(lookup: lookup, product: capture)
    }
    return layers
  }

  /// 0 ..< count, a row for each sample.
  private func positionNumbers(_ count: Int) -> Matrix<Scalar> {
    Matrix(rows: sampleCount, columns: count) { _, t in Scalar(t) }
  }

  /// A batch norm in training depends on the batch as a whole.
  private func mixesSamples(_ kind: LayerKind) -> Bool {
    if case .batchNorm = kind { return mode.isTraining }
    return false
  }

  /// x̂ of a normalisation: how its output moves with γ, when nothing else does.
  private func normalized(_ node: Node<Scalar>, _ index: Int) -> Matrix<Scalar>? {
    guard node.operation.kind?.isNormalization == true else { return nil }
    var call = call(node, index)
    let shape = network.parameters[node.parameters.lowerBound]
    let directions = [
      Matrix<Scalar>(repeating: 1, rows: 1, columns: shape.count), Matrix(rows: 1, columns: shape.count),
    ]
    var result = Matrix<Scalar>(rows: sampleCount, columns: call.output.columns)
    let places = directions.map { $0.withPointer { $0 } }
    withExtendedLifetime((directions, inputs)) {
      result.withMutablePointer(discarding: true) { target in
        places.withUnsafeBufferPointer { places in
          call.inputTangent = nil
          call.outputTangent = target
          call.parameterTangents = places.baseAddress!
          node.operation.pushForward(call)
        }
      }
    }
    return result
  }
}

extension LayerKind {
  var isNormalization: Bool {
    switch self {
    case .batchNorm, .layerNorm: return true
    case .linear, .convolution, .embedding: return false
    }
  }
}
