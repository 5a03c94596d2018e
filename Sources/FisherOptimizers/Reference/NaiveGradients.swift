package import FisherCurvature
import FisherLinearAlgebra

/// The gradient of every sample's loss by one parameter, element by element: the rows of J, from the definition.
package func naiveGradients(
  _ capture: LayerCapture<Double>, _ parameter: ParameterInfo
) -> [[Double]] {
  (0..<capture.sampleCount).map { n in
    var sum = [Double](repeating: 0, count: parameter.count)
    for t in 0..<capture.positions { addNaive(&sum, capture, parameter, row: n * capture.positions + t) }
    return sum.map { $0 * capture.outputGradients.scaleToSum }
  }
}

/// Adds what one row of the capture contributes.
private func addNaive(
  _ sum: inout [Double], _ capture: LayerCapture<Double>, _ parameter: ParameterInfo, row: Int
) {
  let (h, g) = (capture.inputs, capture.outputGradients.values)
  let isBias = parameter.role == .bias || parameter.role == .normShift
  switch capture.kind {
  case .linear:
    for o in 0..<g.columns {
      if isBias {
        sum[o] += g[row, o]
      } else {
        for i in 0..<h.columns { sum[o * h.columns + i] += g[row, o] * h[row, i] }
      }
    }
  case .embedding:
    for j in 0..<g.columns { sum[Int(h[row, 0]) * g.columns + j] += g[row, j] }
  case .layerNorm:
    for j in 0..<g.columns { sum[j] += g[row, j] * (isBias ? 1 : capture.normalized![row, j]) }
  case .batchNorm(_, let area):
    for j in 0..<g.columns { sum[j / area] += g[row, j] * (isBias ? 1 : capture.normalized![row, j]) }
  case .convolution(let shape, _):
    for o in 0..<shape.outputs {
      for p in 0..<shape.positions {
        let value = g[row, o * shape.positions + p]
        if isBias { sum[o] += value } else { addNaive(&sum, shape, h.row(row).array, value, o, p) }
      }
    }
  }
}

/// One output of a convolution, at one position: what it sees, tap by tap.
private func addNaive(
  _ sum: inout [Double], _ shape: ConvolutionGeometry, _ image: [Double], _ value: Double, _ output: Int,
  _ position: Int
) {
  let perGroup = shape.channels / shape.groups
  let group = output / (shape.outputs / shape.groups)
  for c in 0..<perGroup {
    for ky in 0..<shape.kernelHeight {
      for kx in 0..<shape.kernelWidth {
        let y = position / shape.outputWidth * shape.stride + ky * shape.dilation - shape.padding
        let x = position % shape.outputWidth * shape.strideAcross + kx * shape.dilation - shape.paddingAcross
        guard 0..<shape.height ~= y, 0..<shape.width ~= x else { continue }
        let tap = ((output * perGroup + c) * shape.kernelHeight + ky) * shape.kernelWidth + kx
        sum[tap] += value * image[((group * perGroup + c) * shape.height + y) * shape.width + x]
      }
    }
  }
}

/// ‖∂ℓₙ/∂zₙ‖ of every sample, over all of its positions.
package func naiveOutputNorms(_ outputs: OutputGradients<Double>, samples: Int) -> [Double] {
  let rows = outputs.values.rows / samples
  return (0..<samples).map { n in
    var sum = 0.0
    for i in n * rows..<(n + 1) * rows {
      for j in 0..<outputs.values.columns { sum += outputs.values[i, j] * outputs.values[i, j] }
    }
    return sum.squareRoot() * outputs.scaleToSum
  }
}

/// A layer's capture with every sample's output gradients, in the scale of the sum of the losses, divided by these norms.
package func naiveImproved(_ capture: LayerCapture<Double>, by norms: [Double]) -> LayerCapture<Double> {
  let gradients = capture.outputGradients
  let improved = Matrix<Double>(rows: gradients.values.rows, columns: gradients.values.columns) { i, j in
    let norm = norms[i / capture.positions]
    return norm > 0 ? gradients.values[i, j] * gradients.scaleToSum / norm : 0
  }
  return capture.replacing(.ofSum(improved, terms: 1))
}
