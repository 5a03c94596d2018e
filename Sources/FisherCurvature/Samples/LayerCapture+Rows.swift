package import FisherLinearAlgebra
import FisherRuntime

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

  /// The gradients of all samples, formed some at a time: 16 MB of `Float`, or one sample.
  ///
  /// - Parameters:
  ///   - parameters: what they are gradients by; with a weight and a bias, the bias is the last column.
  ///   - rows: of the gradient of a sample.
  ///   - columns: of the gradient of a sample.
  ///   - backend: what carries out the products.
  ///   - threads: the most threads to use.
  ///   - body: gets the gradients of some samples, one below the other, in the scale of the backward pass.
  package func forEachFormed(
    of parameters: LayerParameters, rows: Int, columns: Int, on backend: any Backend, threads: Int,
    _ body: (_ gradients: Matrix<Scalar>, _ samples: Range<Int>) -> Void
  ) {
    let most = max(1, (1 << 22) / max(1, rows * columns))
    for first in stride(from: 0, to: sampleCount, by: most) {
      let range = first..<min(sampleCount, first + most)
      let some = samples(range)
      func formed(_ parameter: LayerParameters, columns: Int) -> Matrix<Scalar> {
        let gradients = some.formedGradients(of: parameter, on: backend, threads: threads)
        require(
          gradients.columns == rows * columns,
          "LayerCapture: gradients of \(gradients.columns) elements are not \(rows)×\(columns)")
        return gradients.reshaped(rows: range.count * rows, columns: columns)
      }
      if parameters != .all {
        body(formed(parameters, columns: columns), range)
        continue
      }
      var joined = Matrix<Scalar>(rows: range.count * rows, columns: columns)
      joined[rows: 0..., columns: 0..<columns - 1] = formed(.weight, columns: columns - 1)
      joined[rows: 0..., columns: columns - 1..<columns] = formed(.bias, columns: 1)
      body(joined, range)
    }
  }

  /// Rows ‖gₙ‖·[hₙ 1] of a linear layer: the sum of their products is that of the gradients of all samples and outputs,
  /// each with itself, in the scale of the backward pass. Nil if a sample's gradient is no product of a row and a column.
  ///
  /// - Parameter parameters: a weight has the columns of h, a bias that of ones.
  @specialized(where Scalar == Float) @specialized(where Scalar == Double)
  package func weightedInputs(of parameters: LayerParameters) -> Matrix<Scalar>? {
    guard isOneProduct else { return nil }
    let squares = OutputGradients.ofSum(outputGradients.values, terms: 1).squaredNorms(samples: sampleCount)
    let width = parameters.contains(.weight) ? inputs.columns : 0
    let columns = width + (parameters.contains(.bias) ? 1 : 0)
    var H = Matrix<Scalar>(repeating: 1, rows: sampleCount, columns: columns)
    H[rows: 0..., columns: 0..<width] = inputs[rows: 0..., columns: 0..<width]
    H.withMutableSpan { H in
      for (n, square) in squares.enumerated() {
        let norm = Scalar(square.squareRoot())
        for j in n * columns..<(n + 1) * columns { H[j] *= norm }
      }
    }
    return H
  }
}
