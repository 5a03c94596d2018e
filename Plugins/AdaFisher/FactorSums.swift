import FisherCurvature
import FisherLinearAlgebra

/// What the diagonals of a layer's factors are made of: sums over the samples of a batch, or of a part of it.
struct FactorSums {
  /// Squares of the inputs; of a normalisation their plain sums, of an embedding how often each token occurs.
  var inputs: [Double]
  /// Squares of the output gradients in the scale of the backward pass; of a normalisation their plain sums.
  var outputs: [Double]

  init<S: KernelScalar>(_ capture: LayerCapture<S>, threads: Int) {
    let (h, g) = (capture.inputs, capture.outputGradients.values)
    switch capture.kind {
    case .linear, .convolution:
      (inputs, outputs) = (ColumnSums.squares(h, threads: threads), ColumnSums.squares(g, threads: threads))
    case .batchNorm:
      (inputs, outputs) = (ColumnSums.plain(h, threads: threads), ColumnSums.plain(g, threads: threads))
    case .layerNorm:
      // The second axis is kept, tokens if there are any, features otherwise; see AdaFisher.md.
      inputs = capture.positions == 1 ? ColumnSums.plain(h, threads: threads) : Self.tokenSums(capture)
      outputs = ColumnSums.plain(g, threads: threads)
    case .embedding(let tokens):
      inputs = [Double](repeating: 0, count: tokens)
      for token in h.array { inputs[Int(token)] += 1 }
      outputs = ColumnSums.squares(g, threads: threads)
    }
  }

  /// How many sums the layer of a capture has.
  static func counts<S: KernelScalar>(_ capture: LayerCapture<S>) -> (inputs: Int, outputs: Int) {
    let inputs =
      switch capture.kind {
      case .linear, .convolution, .batchNorm: capture.inputs.columns
      case .layerNorm: capture.positions == 1 ? capture.inputs.columns : capture.positions
      case .embedding(let tokens): tokens
      }
    return (inputs, capture.outputGradients.values.columns)
  }

  /// - Parameter numbers: `inputs` entries for the inputs, then `outputs` for the outputs.
  init(_ numbers: ArraySlice<Double>, inputs: Int, outputs: Int) {
    self.inputs = Array(numbers.prefix(inputs))
    self.outputs = Array(numbers.dropFirst(inputs).prefix(outputs))
  }

  /// Both, the output gradients in the scale of the sum of the losses.
  func ofSum<S: KernelScalar>(_ capture: LayerCapture<S>) -> [Double] {
    let scale = capture.outputGradients.scaleToSum
    let isSquared =
      switch capture.kind {
      case .batchNorm, .layerNorm: false
      case .linear, .convolution, .embedding: true
      }
    return inputs + outputs.map { $0 * (isSquared ? scale * scale : scale) }
  }

  private static func tokenSums<S: KernelScalar>(_ capture: LayerCapture<S>) -> [Double] {
    var sums = [Double](repeating: 0, count: capture.positions)
    let width = capture.inputs.columns
    capture.inputs.withSpan { h in
      for row in 0..<capture.inputs.rows {
        var sum = 0.0
        for j in 0..<width { sum += Double(h[row * width + j]) }
        sums[row % capture.positions] += sum
      }
    }
    return sums
  }
}
