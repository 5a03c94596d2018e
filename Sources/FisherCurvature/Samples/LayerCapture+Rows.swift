package import FisherLinearAlgebra

extension LayerCapture {
  /// Some of the samples, without copying.
  package func samples(_ range: Range<Int>) -> LayerCapture {
    let rows = range.lowerBound * positions..<range.upperBound * positions
    let gradients = outputGradients
    return LayerCapture(
      kind: kind, inputs: inputs[rows: rows, columns: 0...],
      outputGradients: OutputGradients(
        values: gradients.values[rows: rows, columns: 0...], scaleToSum: gradients.scaleToSum,
        scaleToMean: gradients.scaleToMean),
      sampleCount: range.count, normalized: normalized.map { $0[rows: rows, columns: 0...] },
      mixesSamples: mixesSamples)
  }

  /// The gradients of every sample by one parameter, formed: one row a sample, in the scale of the backward pass.
  ///
  /// samples × elements of the parameter: for many samples, ask for some at a time.
  package func formedGradients(
    of parameter: LayerParameters, on backend: any Backend = NativeBackend(), threads: Int
  ) -> Matrix<Scalar> {
    if parameter == .bias { return biasGradients() }
    switch weightGradients(threads: threads) {
    case .rows(let rows): return rows
    case .products(let A, let G, let T):
      return SampleGradients.formed(
        A, G, T, 0..<G.columns, GramContext(backend: backend, threads: threads))
    case .lookups(let tokens, let G, let T):
      let (width, count) = (G.columns, weightRows)
      var rows = Matrix<Scalar>(rows: sampleCount, columns: count * width)
      for (i, token) in tokens.enumerated() {
        for j in 0..<width { rows[i / T, token * width + j] += G[i, j] }
      }
      return rows
    }
  }
}
