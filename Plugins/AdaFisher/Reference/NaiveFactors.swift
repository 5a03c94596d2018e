import FisherCurvature
import FisherLinearAlgebra

/// H and S of a layer by the table of AdaFisher.md, index by index.
package func naiveFactors(
  _ capture: LayerCapture<Double>, dividesByPatch: Bool
) -> (H: [Double], S: [Double]) {
  let h = capture.inputs
  let (n, rows) = (Double(capture.sampleCount), Double(h.rows))
  let s = Matrix(rows: h.rows, columns: capture.outputGradients.values.columns) { i, j in
    capture.outputGradients.values[i, j] * capture.outputGradients.scaleToMean
  }
  func meanSquares(_ x: Matrix<Double>) -> [Double] {
    (0..<x.columns).map { j in (0..<x.rows).reduce(0.0) { $0 + x[$1, j] * x[$1, j] } / rows }
  }
  func channelTotal(_ x: Matrix<Double>, _ channel: Int, _ area: Int) -> Double {
    var total = 0.0
    for i in 0..<x.rows { for t in 0..<area { total += x[i, channel * area + t] } }
    return total
  }
  switch capture.kind {
  case .linear(let hasBias):
    return (meanSquares(h) + (hasBias ? [1] : []), meanSquares(s))
  case .convolution(let shape, let hasBias):
    return naiveConvolutionFactors(h, s, shape, hasBias: hasBias, dividesByPatch: dividesByPatch)
  case .batchNorm(let channels, let area):
    var γ = 0.0
    for c in 0..<channels {
      let u = channelTotal(h, c, area) / Double(area * area)
      γ += u * u / (n * n)
    }
    let S = (0..<channels).map { c in channelTotal(s, c, area) * channelTotal(s, c, area) / n }
    return ([γ, Double(channels) / (n * n)], S)
  case .layerNorm:
    let tokens = h.rows / capture.sampleCount
    let kept = tokens > 1 ? tokens : h.columns
    var u = [Double](repeating: 0, count: kept)
    for i in 0..<h.rows {
      for j in 0..<h.columns { u[tokens > 1 ? i % tokens : j] += h[i, j] }
    }
    let reduced = tokens > 1 ? Double(h.columns) : 1
    let γ = u.reduce(0.0) { $0 + ($1 / (reduced * reduced)) * ($1 / (reduced * reduced)) } / (n * n)
    let S = (0..<s.columns).map { j in
      let total = (0..<s.rows).reduce(0.0) { $0 + s[$1, j] }
      return total * total / n
    }
    return ([γ, Double(kept) / (n * n)], S)
  case .embedding(let tokens):
    let H = (0..<tokens).map { token in
      Double((0..<h.rows).filter { h[$0, 0] == Double(token) }.count) / rows
    }
    return (H, meanSquares(s))
  }
}

/// Every patch is cut out, padding included.
private func naiveConvolutionFactors(
  _ h: Matrix<Double>, _ s: Matrix<Double>, _ shape: ConvolutionGeometry, hasBias: Bool, dividesByPatch: Bool
) -> (H: [Double], S: [Double]) {
  let perGroup = shape.channels / shape.groups
  let divisor = Double(h.rows * shape.positions * (dividesByPatch ? shape.patchSize : 1))
  var H = [Double](repeating: 0, count: shape.patchSize + (hasBias ? 1 : 0))
  for sample in 0..<h.rows {
    for group in 0..<shape.groups {
      for oy in 0..<shape.outputHeight {
        for ox in 0..<shape.outputWidth {
          var patch: [Double] = []
          for c in 0..<perGroup {
            for ky in 0..<shape.kernelHeight {
              for kx in 0..<shape.kernelWidth {
                let y = oy * shape.stride + ky * shape.dilation - shape.padding
                let x = ox * shape.strideAcross + kx * shape.dilation - shape.paddingAcross
                let isInside = y >= 0 && y < shape.height && x >= 0 && x < shape.width
                let place = ((group * perGroup + c) * shape.height + y) * shape.width + x
                patch.append(isInside ? h[sample, place] : 0)
              }
            }
          }
          if hasBias { patch.append(1) }
          for (d, value) in patch.enumerated() { H[d] += value * value / divisor }
        }
      }
    }
  }
  let S = (0..<shape.outputs).map { o in
    var sum = 0.0
    for sample in 0..<s.rows {
      for t in 0..<shape.positions {
        let value = s[sample, o * shape.positions + t]
        sum += value * value
      }
    }
    return sum / Double(s.rows * shape.positions)
  }
  return (H, S)
}
