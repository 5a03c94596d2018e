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
  ///   - name: of its memory in the step, which no state and no other matrix has.
  public mutating func gradient(
    of parameter: ParameterInfo, from captures: [String: LayerCapture<Scalar>], as name: String
  ) -> Matrix<Scalar>? {
    guard let capture = parameter.layer.flatMap({ captures[$0] }) else {
      count("layers without statistics")
      return nil
    }
    let w = [Double](repeating: 1 / capture.meanTerms, count: capture.sampleCount)
    let (backend, threads) = (backend, threads)
    if parameter.role == .bias || parameter.role == .normShift {
      let sum = capture.gradients(weighting: w, of: .bias, on: backend, threads: threads).bias
      return sum?.reshaped(rows: parameter.rows, columns: parameter.columns)
    }
    let sum = temporary(
      name, of: parameter.name, rows: capture.weightRows, columns: capture.weightColumns
    ) { sum in
      capture.weightGradient(weighting: w, into: &sum, on: backend, threads: threads)
    }
    return sum.reshaped(rows: parameter.rows, columns: parameter.columns)
  }
}
