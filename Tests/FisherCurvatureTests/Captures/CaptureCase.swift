import FisherCurvature
import FisherLinearAlgebra
import FisherTestSupport

/// A kind of layer with its sizes, and the gradients of its samples by the definition.
struct CaptureCase: Sendable, CustomStringConvertible {
  let description: String
  let kind: LayerKind
  let inputs: Int
  let outputs: Int
  var positions = 1

  static let geometry = ConvolutionGeometry(
    channels: 4, height: 5, width: 4, outputs: 6, kernelHeight: 3, kernelWidth: 2, stride: 2, padding: 1,
    groups: 2)

  static let all = [
    CaptureCase(description: "linear", kind: .linear(hasBias: true), inputs: 5, outputs: 3),
    CaptureCase(description: "no bias", kind: .linear(hasBias: false), inputs: 1, outputs: 1),
    CaptureCase(
      description: "tokens", kind: .linear(hasBias: true), inputs: 4, outputs: 3, positions: 7),
    CaptureCase(
      description: "convolution", kind: .convolution(geometry, hasBias: true), inputs: 80,
      outputs: 6 * geometry.positions),
    CaptureCase(
      description: "embedding", kind: .embedding(tokens: 4), inputs: 1, outputs: 3, positions: 6),
    CaptureCase(description: "layer norm", kind: .layerNorm, inputs: 5, outputs: 5, positions: 2),
    CaptureCase(
      description: "batch norm", kind: .batchNorm(channels: 3, area: 4), inputs: 12, outputs: 12),
  ]

  /// Random inputs and gradients of the sum of `samples` losses.
  func capture(samples: Int, _ generator: inout Generator) -> LayerCapture<Double> {
    let rows = samples * positions
    func random(_ columns: Int) -> Matrix<Double> {
      Matrix(rows: rows, columns: columns) { _, _ in Double(generator.uniform() as Float) }
    }
    var h = random(inputs)
    if case .embedding(let tokens) = kind {
      h = Matrix(rows: rows, columns: 1) { _, _ in Double(Int.random(in: 0..<tokens, using: &generator)) }
    }
    return LayerCapture(
      kind: kind, inputs: h, outputGradients: .ofSum(random(outputs), terms: rows), sampleCount: samples,
      normalized: random(inputs))
  }

  /// J: for each sample the gradient of its loss by the weight and the bias, element by element.
  func rows(_ capture: LayerCapture<Double>) -> [[Double]] {
    (0..<capture.sampleCount).map { n in
      let (weight, bias) = gradients(capture, sample: n)
      return weight + (capture.hasBias ? bias : [])
    }
  }

  private func gradients(_ capture: LayerCapture<Double>, sample n: Int) -> ([Double], [Double]) {
    let h = capture.inputs
    let g = capture.outputGradients.ofSum
    let own = n * positions..<(n + 1) * positions
    switch kind {
    case .linear:
      let weight = (0..<outputs).flatMap { o in
        (0..<inputs).map { i in own.reduce(0) { $0 + g[$1, o] * h[$1, i] } }
      }
      return (weight, (0..<outputs).map { o in own.reduce(0) { $0 + g[$1, o] } })
    case .embedding(let tokens):
      let weight = (0..<tokens).flatMap { token in
        (0..<outputs).map { o in own.reduce(0) { $0 + (Int(h[$1, 0]) == token ? g[$1, o] : 0) } }
      }
      return (weight, [])
    case .layerNorm:
      let x = capture.normalized!
      return (
        (0..<outputs).map { o in own.reduce(0) { $0 + g[$1, o] * x[$1, o] } },
        (0..<outputs).map { o in own.reduce(0) { $0 + g[$1, o] } }
      )
    case .batchNorm(let channels, let area):
      let x = capture.normalized!
      return (
        (0..<channels).map { c in (c * area..<(c + 1) * area).reduce(0) { $0 + g[n, $1] * x[n, $1] } },
        (0..<channels).map { c in (c * area..<(c + 1) * area).reduce(0) { $0 + g[n, $1] } }
      )
    case .convolution(let shape, _): return Self.convolution(shape, h.row(n).array, g.row(n).array)
    }
  }

  /// The gradients of a convolution on one image, tap by tap.
  private static func convolution(
    _ s: ConvolutionGeometry, _ image: [Double], _ gradient: [Double]
  ) -> ([Double], [Double]) {
    var weight: [Double] = []
    let taken = s.channels / s.groups
    for o in 0..<s.outputs {
      let first = o / (s.outputs / s.groups) * taken
      for c in first..<first + taken {
        for ky in 0..<s.kernelHeight {
          for kx in 0..<s.kernelWidth {
            var sum = 0.0
            for oy in 0..<s.outputHeight {
              for ox in 0..<s.outputWidth {
                let (y, x) = (
                  oy * s.stride + ky * s.dilation - s.padding,
                  ox * s.strideAcross + kx * s.dilation - s.paddingAcross
                )
                guard (0..<s.height).contains(y), (0..<s.width).contains(x) else { continue }
                sum +=
                  gradient[(o * s.outputHeight + oy) * s.outputWidth + ox]
                  * image[(c * s.height + y) * s.width + x]
              }
            }
            weight.append(sum)
          }
        }
      }
    }
    let bias = (0..<s.outputs).map { o in
      gradient[o * s.positions..<(o + 1) * s.positions].reduce(0, +)
    }
    return (weight, bias)
  }
}

/// Whether a and b agree as sums of at most `terms` products of numbers below 1 do.
func isClose(_ a: [Double], _ b: [Double], terms: Int, ε: Double = .ulpOfOne) -> Bool {
  a.count == b.count && zip(a, b).allSatisfy { abs($0 - $1) <= 4 * Double(terms) * ε * Double(terms) }
}
