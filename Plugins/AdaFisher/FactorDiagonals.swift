import FisherCurvature
import FisherLinearAlgebra

/// The diagonals of a layer's Kronecker factors on one batch, before scaling and averaging.
///
/// s is the gradient of the mean loss. No patches are copied: the mean square of what a convolution's tap sees is a sum
/// over a shifted, strided window of Σₙ h², one map a channel.
package struct FactorDiagonals {
  /// H: an entry for each input, then one for the bias if there is one; for a normalisation one for γ and one for β.
  package let inputs: [Double]
  /// S: an entry for each output.
  package let outputs: [Double]

  /// No NaN: infinities are dealt with by scaling before the average.
  var areNumbers: Bool { !(inputs + outputs).contains { $0.isNaN } }
  var areFinite: Bool { (inputs + outputs).allSatisfy(\.isFinite) }

  package init<S: KernelScalar>(_ capture: LayerCapture<S>, dividesByPatch: Bool, threads: Int) {
    let rows = Double(capture.inputs.rows)
    let samples = Double(capture.sampleCount)
    let gradients = capture.outputGradients
    let toMean = gradients.scaleToMean
    func squares(_ x: Matrix<S>) -> [Double] { ColumnSums.squares(x, threads: threads) }
    func sums(_ x: Matrix<S>) -> [Double] { ColumnSums.plain(x, threads: threads) }
    let perOutput: [Double]
    switch capture.kind {
    case .linear(let hasBias):
      inputs = squares(capture.inputs).map { $0 / rows } + (hasBias ? [1] : [])
      perOutput = squares(gradients.values).map { $0 / rows }
    case .convolution(let shape, let hasBias):
      let patch = dividesByPatch ? Double(shape.patchSize) : 1
      let terms = samples * Double(shape.positions) * patch
      inputs =
        Self.tapSums(squares(capture.inputs), shape).map { $0 / terms }
        + (hasBias ? [Double(shape.groups) / patch] : [])
      perOutput = Self.channelSums(squares(gradients.values), shape.positions)
        .map { $0 / (samples * Double(shape.positions)) }
    case .batchNorm(let channels, let area):
      let t = Double(area)
      let means = Self.channelSums(sums(capture.inputs), area).map { $0 / (t * t) }
      inputs = [Self.sumOfSquares(means) / (samples * samples), Double(channels) / (samples * samples)]
      perOutput = Self.channelSums(sums(gradients.values), area).map { $0 * $0 / samples }
    case .layerNorm:
      inputs = Self.layerNormInputs(capture, sums(capture.inputs))
      perOutput = sums(gradients.values).map { $0 * $0 / samples }
    case .embedding(let tokens):
      inputs = Self.frequencies(capture.inputs, tokens)
      perOutput = squares(gradients.values).map { $0 / rows }
    }
    outputs = perOutput.map { $0 * toMean * toMean }
  }

  /// Σ of what each tap sees, from the map Σₙ h² of every channel; groups are added up.
  static func tapSums(_ map: [Double], _ shape: ConvolutionGeometry) -> [Double] {
    var sums = [Double](repeating: 0, count: shape.patchSize)
    let perGroup = shape.channels / shape.groups
    for channel in 0..<shape.channels {
      for ky in 0..<shape.kernelHeight {
        for kx in 0..<shape.kernelWidth {
          var sum = 0.0
          for oy in 0..<shape.outputHeight {
            let y = oy * shape.stride + ky * shape.dilation - shape.padding
            guard 0..<shape.height ~= y else { continue }
            for ox in 0..<shape.outputWidth {
              let x = ox * shape.strideAcross + kx * shape.dilation - shape.paddingAcross
              if 0..<shape.width ~= x { sum += map[(channel * shape.height + y) * shape.width + x] }
            }
          }
          sums[((channel % perGroup) * shape.kernelHeight + ky) * shape.kernelWidth + kx] += sum
        }
      }
    }
    return sums
  }

  /// Adds the entries of each channel.
  private static func channelSums(_ values: [Double], _ area: Int) -> [Double] {
    stride(from: 0, to: values.count, by: max(1, area)).map { values[$0..<$0 + area].reduce(0, +) }
  }

  private static func sumOfSquares(_ values: [Double]) -> Double { values.reduce(0) { $0 + $1 * $1 } }

  /// The second axis is kept, tokens if there are any, features otherwise; see AdaFisher.md.
  private static func layerNormInputs<S: KernelScalar>(
    _ capture: LayerCapture<S>, _ featureSums: [Double]
  ) -> [Double] {
    let n = Double(capture.sampleCount)
    if capture.positions == 1 {
      return [sumOfSquares(featureSums) / (n * n), Double(featureSums.count) / (n * n)]
    }
    var tokenSums = [Double](repeating: 0, count: capture.positions)
    let width = capture.inputs.columns
    capture.inputs.withSpan { h in
      for row in 0..<capture.inputs.rows {
        var sum = 0.0
        for j in 0..<width { sum += Double(h[row * width + j]) }
        tokenSums[row % capture.positions] += sum
      }
    }
    let reduced = Double(width)
    return [
      sumOfSquares(tokenSums.map { $0 / (reduced * reduced) }) / (n * n), Double(capture.positions) / (n * n),
    ]
  }

  /// How often each token occurs: the mean square of a one-hot input.
  private static func frequencies<S: KernelScalar>(_ tokens: Matrix<S>, _ count: Int) -> [Double] {
    var result = [Double](repeating: 0, count: count)
    for token in tokens.array { result[Int(token)] += 1 / Double(tokens.count) }
    return result
  }
}
