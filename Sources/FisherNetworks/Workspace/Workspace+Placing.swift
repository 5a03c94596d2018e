import FisherLinearAlgebra
import FisherRuntime

// Looks up where everything lies before a pass. A pointer is good until its buffer is prepared again; what the caller
// owns is kept alive by the pass that uses it.

extension Workspace {
  /// Traps unless the shapes are those of the network's parameters.
  func place(
    _ values: [Matrix<Scalar>], in places: UnsafeMutablePointer<MatrixPointer<Scalar>>, _ what: StaticString
  ) {
    require(
      values.count == network.parameters.count,
      "Workspace: \(values.count) \(what) for \(network.parameters.count) parameters")
    for (i, info) in network.parameters.enumerated() {
      requireShape(values[i], info.rows, info.columns, what, info.summary)
      places[i] = values[i].withPointer { $0 }
    }
  }

  func placeParameterGradients(_ targets: inout [Matrix<Scalar>]) {
    require(
      targets.count == network.parameters.count,
      "Workspace: room for \(targets.count) gradients of \(network.parameters.count) parameters")
    for (i, info) in network.parameters.enumerated() {
      requireShape(targets[i], info.rows, info.columns, "room for the gradient", info.summary)
      places.parameterGradients[i] = targets[i].withMutablePointer(discarding: true) { $0 }
    }
  }

  func placeInputs(_ inputs: Matrix<Scalar>) {
    // The input is never written.
    places.activations[0] = inputs.withPointer { $0 }.reshaped(columns: inputs.columns).mutable
    for slot in activations.indices.dropFirst() {
      places.activations[slot] = activations[slot].prepare(rows: sampleCount)
    }
    for (i, node) in network.program.nodes.enumerated() {
      let count = node.operation.savedCount(samples: sampleCount)
      if count > 0 { places.saved[i] = saved[i].prepare(rows: count).base }
    }
  }

  func placeGradients() {
    for slot in gradients.indices.dropFirst() {
      places.gradients[slot] = gradients[slot].prepare(rows: sampleCount)
    }
  }

  func placeTangents() {
    for slot in tangents.indices.dropFirst() {
      places.tangents[slot] = tangents[slot].prepare(rows: sampleCount)
    }
  }

  func placeGradientTangents() {
    for slot in gradientTangents.indices.dropFirst() {
      places.gradientTangents[slot] = gradientTangents[slot].prepare(rows: sampleCount)
    }
  }

  func placeStatistics(toWrite: Bool) {
    for i in statistics.indices {
      places.statistics[i] =
        toWrite ? statistics[i].withMutablePointer { $0 } : statistics[i].withPointer { $0 }.mutable
    }
  }

  /// What a node works on.
  func call(_ node: Node<Scalar>, _ index: Int) -> NodeCall<Scalar> {
    NodeCall(
      backend: backend, threads: threads, mode: mode, index: index,
      input: places.activations[node.input].readOnly,
      other: node.other.map { places.activations[$0].readOnly }, output: places.activations[node.output],
      parameters: UnsafePointer(places.parameters + node.parameters.lowerBound),
      statistics: UnsafePointer(places.statistics + node.statistics.lowerBound), saved: places.saved[index],
      outputGradient: places.gradients[node.output],
      inputGradient: node.inputLearns ? places.gradients[node.input] : nil, addsInputGradient: node.addsInput,
      otherGradient: node.otherLearns ? node.other.map { places.gradients[$0] } : nil,
      addsOtherGradient: node.addsOther, addsParameterGradients: node.addsParameters,
      inputTangent: node.inputLearns ? places.tangents[node.input].readOnly : nil,
      otherTangent: node.otherLearns ? node.other.map { places.tangents[$0].readOnly } : nil,
      outputTangent: places.tangents[node.output],
      parameterTangents: UnsafePointer(places.parameterTangents + node.parameters.lowerBound),
      batchSamples: batchSamples ?? sampleCount)
  }

  private func requireShape(
    _ matrix: Matrix<Scalar>, _ rows: Int, _ columns: Int, _ what: StaticString, _ name: String
  ) {
    require(
      matrix.rows == rows && matrix.columns == columns && matrix.isContiguous,
      "Workspace: \(what) of \(matrix.rows)×\(matrix.columns) for \(name), which lies without gaps")
  }
}
