public import FisherLinearAlgebra
import FisherRuntime

extension Workspace {
  /// A forward pass with its loss.
  ///
  /// - Parameters:
  ///   - values: the parameters, in the order of the network's list.
  ///   - inputs: a row a sample; kept until the next pass or ``releaseBatch()``.
  ///   - labels: as the loss wants them; kept likewise.
  ///   - mode: whether layers behave as in training or as in evaluation.
  /// - Returns: the loss.
  @discardableResult
  @specialized(where Scalar == Float) @specialized(where Scalar == Double)
  public func forward(
    _ values: [Matrix<Scalar>], _ inputs: Matrix<Scalar>, _ labels: Labels<Scalar>, mode: PassMode
  ) -> Double {
    forward(values, inputs, mode: mode)
    return compare(labels)
  }

  /// The loss of the outputs, with its gradient by them in training.
  func compare(_ labels: Labels<Scalar>) -> Double {
    network.loss.require(labels, rows: rowCount, columns: network.output.features)
    self.labels = labels
    rowWeights = network.loss.rowWeights(labels)
    // In training the gradient will be wanted, and it comes with the loss for little.
    if mode.isTraining { placeGradients() }
    loss = evaluate(.given(labels), writingGradients: mode.isTraining)
    hasOutputGradient = mode.isTraining
    return loss
  }

  /// A forward pass without labels; see ``outputs``.
  @specialized(where Scalar == Float) @specialized(where Scalar == Double)
  public func forward(_ values: [Matrix<Scalar>], _ inputs: Matrix<Scalar>, mode: PassMode) {
    require(
      inputs.columns == network.input.count && inputs.rows >= 1,
      "Workspace: inputs of \(inputs.rows)×\(inputs.columns) for samples of \(network.input)")
    let inputs = inputs.compacted()
    withExtendedLifetime((values, inputs)) {
      begin(values, inputs, mode)
      for (index, node) in network.program.nodes.enumerated() { node.operation.forward(call(node, index)) }
    }
  }

  /// All that comes before the first node. The caller keeps the values.
  func begin(_ values: [Matrix<Scalar>], _ inputs: Matrix<Scalar>, _ mode: PassMode) {
    releaseBatch()
    self.inputs = inputs
    self.mode = mode
    loss = .nan
    sampleCount = inputs.rows
    place(values, in: places.parameters, "values")
    placeInputs(inputs)
    placeStatistics(toWrite: false)
  }

  /// The combined loss; with `writingGradients`, also its gradient by the outputs, in their buffer.
  func evaluate(_ labels: LabelSource<Scalar>, writingGradients: Bool) -> Double {
    let columns = network.output.features
    let slot = network.program.output.slot
    let weight = network.reduction.weight(terms: termCount)
    let rows = rowCount
    if rowLosses.count < rows { rowLosses = Array(repeating: 0, count: rows) }
    return rowLosses.withUnsafeMutableBufferPointer { losses in
      (rowWeights ?? []).withUnsafeBufferPointer { rowWeights in
        network.loss.evaluate(
          LossCall(
            backend: backend, outputs: places.activations[slot].readOnly.reshaped(columns: columns),
            gradients: writingGradients ? places.gradients[slot].reshaped(columns: columns) : nil,
            scale: weight, losses: losses.baseAddress,
            rowWeights: rowWeights.isEmpty ? nil : rowWeights.baseAddress, threads: threads), labels)
      }
      var sum = 0.0
      for row in 0..<rows { sum += losses[row] }
      return sum * weight
    }
  }
}
