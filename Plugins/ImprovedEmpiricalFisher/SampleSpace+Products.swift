import FisherCurvature
import FisherLinearAlgebra
import FisherOptimizers

extension SampleSpace {
  /// J·φ: what every row of J has in common with a direction.
  ///
  /// - Parameters:
  ///   - rows: the captures that J belongs to.
  ///   - direction: for each parameter of the step; nil for zeros.
  func products<Kind>(of rows: Captures<S, Kind>, with direction: [Matrix<S>?]) -> [Double] {
    var sums = [Double](repeating: 0, count: rows.sampleCount)
    for (parameter, φ) in zip(parameters, direction) {
      guard let φ, let capture = parameter.layer.flatMap({ rows.layers[$0] }) else { continue }
      let scale = capture.outputGradients.scaleToSum
      for (n, product) in products(of: capture, parameter, with: φ).enumerated() {
        sums[n] += scale * product
      }
    }
    return sums
  }

  /// In the scale of the backward pass.
  private func products(
    of capture: LayerCapture<S>, _ parameter: ParameterInfo, with φ: Matrix<S>
  ) -> [Double] {
    let part = LayerParameters(parameter.role)
    if case .linear = capture.kind, part == .weight {
      // Σₜ dₙₜᵀ·(Φ·hₙₜ)
      let moved = capture.inputs.multiplied(by: φ.transposed, on: backend, threads: threads)
      let terms = zip(moved.array, capture.outputGradients.values.array).map { Double($0) * Double($1) }
      let size = terms.count / capture.sampleCount
      return (0..<capture.sampleCount).map { terms[$0 * size..<($0 + 1) * size].reduce(0, +) }
    }
    let J = capture.formedGradients(of: part, on: backend, threads: threads)
    var product = Matrix<S>(rows: J.rows, columns: 1)
    gemv(J, φ.reshaped(rows: φ.count, columns: 1), into: &product, on: backend, threads: threads)
    return product.array.map { Double($0) }
  }
}
