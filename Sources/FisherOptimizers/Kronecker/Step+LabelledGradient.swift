public import FisherCurvature
public import FisherLinearAlgebra

extension Step {
  /// The gradient of the mean loss for the labels of captures, drawn ones say: Σₙ ∇ℓₙ/M, shaped as the parameter.
  ///
  /// A parameter whose layer has no captures has none, and is counted: `layers without statistics`.
  ///
  /// - Parameters:
  ///   - parameter: one that belongs to a layer.
  ///   - captures: of that layer among others.
  public mutating func gradient(
    of parameter: ParameterInfo, from captures: [String: LayerCapture<Scalar>]
  ) -> Matrix<Scalar>? {
    guard let capture = parameter.layer.flatMap({ captures[$0] }) else {
      count("layers without statistics")
      return nil
    }
    return gradient(of: parameter, from: capture, terms: capture.meanTerms)
  }

  /// The same from the shards of the batch.
  ///
  /// - Throws: ``StepRefusal`` if the ranks cannot go on.
  public mutating func gradient(
    of parameter: ParameterInfo, from captures: ShardedCaptures<Scalar>
  ) throws(StepRefusal) -> Matrix<Scalar>? {
    guard !captures.isWhole, let layer = parameter.layer, captures.layers[layer] != nil else {
      return gradient(of: parameter, from: captures.layers)
    }
    let sum = try captures.total { shard in
      shard.layers[layer].map { gradient(of: parameter, from: $0, terms: captures.terms).array }
        ?? []
    }
    return Matrix(sum, rows: parameter.rows, columns: parameter.columns)
  }

  /// Σₙ ∇ℓₙ over the samples of a capture, divided by the terms of the mean loss.
  private mutating func gradient(
    of parameter: ParameterInfo, from capture: LayerCapture<Scalar>, terms: Double
  ) -> Matrix<Scalar> {
    let w = [Double](repeating: 1 / terms, count: capture.sampleCount)
    let (backend, threads) = (backend, threads)
    if LayerParameters(parameter.role) == .bias {
      let sum = capture.gradients(weighting: w, of: .bias, on: backend, threads: threads).bias
      guard let sum else { fatalError("Step: \(parameter.name) has no gradient of its layer") }
      return sum.reshaped(rows: parameter.rows, columns: parameter.columns)
    }
    let sum = temporary(rows: capture.weightRows, columns: capture.weightColumns) { sum in
      capture.weightGradient(weighting: w, into: &sum, on: backend, threads: threads)
    }
    return sum.reshaped(rows: parameter.rows, columns: parameter.columns)
  }
}
