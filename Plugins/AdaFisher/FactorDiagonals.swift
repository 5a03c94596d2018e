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
    self.init(
      FactorSums(capture, threads: threads), of: capture, samples: capture.sampleCount,
      toMean: capture.outputGradients.scaleToMean, dividesByPatch: dividesByPatch)
  }

  /// - Parameters:
  ///   - sums: over the samples of the batch.
  ///   - capture: of the layer, of any of its samples: says what kind it is.
  ///   - count: the samples of the batch.
  ///   - toMean: makes gradients of the mean loss of those in the sums.
  ///   - dividesByPatch: H of a convolution is divided by the size of a patch.
  init<S: KernelScalar>(
    _ sums: FactorSums, of capture: LayerCapture<S>, samples count: Int, toMean: Double, dividesByPatch: Bool
  ) {
    let samples = Double(count)
    let rows = samples * Double(capture.positions)
    let perOutput: [Double]
    switch capture.kind {
    case .linear(let hasBias):
      inputs = sums.inputs.map { $0 / rows } + (hasBias ? [1] : [])
      perOutput = sums.outputs.map { $0 / rows }
    case .convolution(let shape, let hasBias):
      let patch = dividesByPatch ? Double(shape.patchSize) : 1
      let terms = samples * Double(shape.positions) * patch
      inputs =
        Self.tapSums(sums.inputs, shape).map { $0 / terms } + (hasBias ? [Double(shape.groups) / patch] : [])
      perOutput = Self.channelSums(sums.outputs, shape.positions)
        .map { $0 / (samples * Double(shape.positions)) }
    case .batchNorm(let channels, let area):
      let t = Double(area)
      let means = Self.channelSums(sums.inputs, area).map { $0 / (t * t) }
      inputs = [Self.sumOfSquares(means) / (samples * samples), Double(channels) / (samples * samples)]
      perOutput = Self.channelSums(sums.outputs, area).map { $0 * $0 / samples }
    case .layerNorm:
      // The axis that is kept has an entry each; the other one is averaged.
      let reduced = capture.positions == 1 ? 1 : Double(capture.inputs.columns)
      inputs = [
        Self.sumOfSquares(sums.inputs.map { $0 / (reduced * reduced) }) / (samples * samples),
        Double(sums.inputs.count) / (samples * samples),
      ]
      perOutput = sums.outputs.map { $0 * $0 / samples }
    case .embedding:
      inputs = sums.inputs.map { $0 / rows }
      perOutput = sums.outputs.map { $0 / rows }
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
}
