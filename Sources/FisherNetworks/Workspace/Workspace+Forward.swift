public import FisherLinearAlgebra

extension Workspace {
  /// A forward pass with its loss.
  ///
  /// - Parameters:
  ///   - values: the parameters, in the order of the network's list.
  ///   - inputs: a row a sample; kept until the next pass or ``releaseBatch()``.
  ///   - labels: as the loss wants them.
  /// - Returns: the loss.
  @discardableResult
  public func forward(
    _ values: [Matrix<Scalar>], _ inputs: Matrix<Scalar>, _ labels: Labels<Scalar>
  ) -> Double {
    forward(values, inputs)
    network.loss.require(labels, rows: termCount, columns: network.output.features)
    self.labels = labels
    loss = evaluate(.given(labels), writingGradients: false)
    return loss
  }

  /// A forward pass without labels; see ``outputs``.
  public func forward(_ values: [Matrix<Scalar>], _ inputs: Matrix<Scalar>) {
    require(
      inputs.columns == network.input.count && inputs.rows >= 1,
      "Workspace: inputs \(inputs.rows)×\(inputs.columns) for samples of \(network.input)")
    releaseBatch()
    hasCaptures = false
    loss = .nan
    sampleCount = inputs.rows
    self.inputs = inputs.compacted()
    withExtendedLifetime(values) {
      placeParameters(values)
      placeActivations()
      for (index, node) in network.program.nodes.enumerated() { node.operation.forward(call(node, index)) }
    }
  }

  /// Traps unless the shapes are those of the network's parameters.
  func placeParameters(_ values: [Matrix<Scalar>]) {
    require(
      values.count == network.parameters.count,
      "Workspace: \(values.count) values for \(network.parameters.count) parameters")
    for (i, info) in network.parameters.enumerated() {
      require(
        values[i].rows == info.rows && values[i].columns == info.columns && values[i].isContiguous,
        "Workspace: values \(values[i].rows)×\(values[i].columns) for \(info.summary), without gaps")
      (places.parameters + i).initialize(to: values[i].withPointer { $0 })
    }
  }

  private func placeActivations() {
    guard let inputs else { return }
    for slot in activations.indices {
      if slot == 0 {
        // The input is never written.
        let p = inputs.withPointer { $0 }
        (places.activations).initialize(
          to: MutableMatrixPointer(
            UnsafeMutablePointer(mutating: p.base), rows: p.rows, columns: p.columns, rowStride: p.columns,
            columnStride: 1))
      } else {
        (places.activations + slot).initialize(to: activations[slot].prepare(rows: sampleCount))
      }
    }
    for (i, node) in network.program.nodes.enumerated() {
      (places.saved + i).initialize(
        to: node.operation.savedPerSample == 0 ? nil : saved[i].prepare(rows: sampleCount).base)
    }
  }

  /// What a node works on; the gradients are those of the last backward pass, if there was one.
  func call(_ node: Node<Scalar>, _ index: Int) -> NodeCall<Scalar> {
    NodeCall(
      backend: backend, threads: threads, input: places.activations[node.input].readOnly,
      output: places.activations[node.output],
      parameters: UnsafePointer(places.parameters + node.parameters.lowerBound),
      saved: places.saved[index], outputGradient: places.activations[node.output])
  }

  /// The combined loss; with `writingGradients`, also its gradient by the outputs, in their slot.
  func evaluate(_ labels: LabelSource<Scalar>, writingGradients: Bool) -> Double {
    let columns = network.output.features
    let slot = network.program.output
    let weight = network.reduction.weight(terms: termCount)
    if rowLosses.count < termCount { rowLosses = Array(repeating: 0, count: termCount) }
    return rowLosses.withUnsafeMutableBufferPointer { losses in
      network.loss.evaluate(
        LossCall(
          outputs: places.activations[slot].readOnly.reshaped(columns: columns),
          gradients: writingGradients ? places.gradients[slot].reshaped(columns: columns) : nil,
          scale: weight,
          losses: losses.baseAddress, threads: threads), labels)
      return losses.prefix(termCount).reduce(0, +) * weight
    }
  }
}
