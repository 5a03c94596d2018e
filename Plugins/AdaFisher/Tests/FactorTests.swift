import FisherCurvature
import FisherLinearAlgebra
import FisherPluginAdaFisher
import FisherTestSupport
import Testing

/// What the factors must be, seen from the Fisher matrix and from other layers.
@Suite struct FactorTests {
  private func random(_ rows: Int, _ columns: Int, _ generator: inout Generator) -> Matrix<Double> {
    Matrix(rows: rows, columns: columns) { _, _ in generator.uniform() }
  }

  private func factors<S: KernelScalar>(
    _ kind: LayerKind, _ h: Matrix<S>, _ s: Matrix<S>, samples: Int, threads: Int = 1
  ) -> FactorDiagonals {
    FactorDiagonals(
      LayerCapture(
        kind: kind, inputs: h, outputGradients: .ofMean(s, terms: samples), sampleCount: samples),
      dividesByPatch: false, threads: threads)
  }

  private func error(_ a: [Double], _ b: [Double]) -> Double {
    a.count == b.count
      ? zip(a, b).reduce(0) { max($0, abs($1.0 - $1.1) / max(abs($1.1), 1e-300)) } : .infinity
  }

  /// One sample: S ⊗ H is the diagonal of its Fisher matrix, the squares of its gradient.
  @Test func oneSampleIsExact() {
    var generator = Generator(seed: Seed.first)
    let (h, s) = (random(1, 7, &generator), random(1, 5, &generator))
    let f = factors(.linear(hasBias: true), h, s, samples: 1)
    for o in 0..<5 {
      for j in 0..<8 {
        let g = s[0, o] * (j < 7 ? h[0, j] : 1)
        #expect(abs(f.outputs[o] * f.inputs[j] - g * g) <= 4e-16 * g * g)
      }
    }
    // A convolution that has room for one output position is a linear layer of its patch.
    let shape = ConvolutionGeometry(
      channels: 2, height: 2, width: 3, outputs: 5, kernelHeight: 2, kernelWidth: 3)
    let patch = random(1, 12, &generator)
    let conv = factors(.convolution(shape, hasBias: true), patch, s, samples: 1)
    let linear = factors(.linear(hasBias: true), patch, s, samples: 1)
    #expect(error(conv.inputs, linear.inputs) < 1e-15 && error(conv.outputs, linear.outputs) < 1e-15)
  }

  /// Equal inputs in all samples: h² and s² are uncorrelated, so S ⊗ H is the mean of the squared gradients over N².
  @Test func uncorrelatedSamplesAreExact() {
    var generator = Generator(seed: Seed.first)
    let (one, s) = (random(1, 4, &generator), random(6, 3, &generator))
    let h = Matrix(rows: 6, columns: 4) { _, j in one[0, j] }
    let f = factors(.linear(hasBias: false), h, s, samples: 6)
    for o in 0..<3 {
      for j in 0..<4 {
        // s is the gradient of the mean: 6·s is that of a sample's own loss.
        let squares = (0..<6).map { i in (6 * s[i, o] * h[i, j]) * (6 * s[i, o] * h[i, j]) }
        let expected = squares.reduce(0, +) / 6 / 36
        #expect(abs(f.outputs[o] * f.inputs[j] / expected - 1) < 1e-14)
      }
    }
  }

  /// One sample: S of a normalisation is the exact entry of β, the square of its gradient.
  @Test func shiftOfANormalisationIsExact() {
    var generator = Generator(seed: Seed.first)
    let (h, s) = (random(1, 12, &generator), random(1, 12, &generator))
    let f = factors(.batchNorm(channels: 3, area: 4), h, s, samples: 1)
    for c in 0..<3 {
      let g = (0..<4).reduce(0.0) { $0 + s[0, 4 * c + $1] }
      #expect(abs(f.outputs[c] - g * g) < 1e-15)
    }
  }

  @Test func oneByOneConvolutionIsLinear() {
    var generator = Generator(seed: Seed.first)
    let shape = ConvolutionGeometry(
      channels: 6, height: 1, width: 1, outputs: 4, kernelHeight: 1, kernelWidth: 1)
    let (h, s) = (random(5, 6, &generator), random(5, 4, &generator))
    let conv = factors(.convolution(shape, hasBias: true), h, s, samples: 5)
    let linear = factors(.linear(hasBias: true), h, s, samples: 5)
    #expect(error(conv.inputs, linear.inputs) < 1e-15 && error(conv.outputs, linear.outputs) < 1e-15)
  }

  /// Strides, paddings, dilations, groups and kernels that do not tile the image, against patches that are cut out.
  @Test func windowSumsAreTheSumsOverPatches() {
    var violations = Violations()
    var generator = Generator(seed: Seed.first)
    for (stride, padding) in [(1, 0), (1, 1), (2, 1), (3, 2)] {
      for (dilation, groups) in [(1, 1), (2, 1), (1, 2), (2, 2)] {
        let shape = ConvolutionGeometry(
          channels: 4, height: 7, width: 5, outputs: 6, kernelHeight: 3, kernelWidth: 2, stride: stride,
          padding: padding, dilation: dilation, groups: groups)
        for hasBias in [true, false] {
          let kind = LayerKind.convolution(shape, hasBias: hasBias)
          let h = random(3, 4 * 35, &generator)
          let s = random(3, 6 * shape.positions, &generator)
          let capture = LayerCapture(
            kind: kind, inputs: h, outputGradients: .ofSum(s, terms: 3), sampleCount: 3)
          for dividesByPatch in [true, false] {
            let fast = FactorDiagonals(capture, dividesByPatch: dividesByPatch, threads: 1)
            let naive = naiveFactors(capture, dividesByPatch: dividesByPatch)
            let worst = max(error(fast.inputs, naive.H), error(fast.outputs, naive.S))
            violations.expect(worst < 1e-14, "\(shape) bias \(hasBias) patch \(dividesByPatch): \(worst)")
          }
        }
      }
    }
    #expect(violations.isEmpty, "\(violations)")
  }

  /// Sum or mean, one position axis or many rows: the same factors.
  @Test func scaleAndPositionsAreConventions() {
    var generator = Generator(seed: Seed.first)
    let (h, s) = (random(12, 5, &generator), random(12, 3, &generator))
    let tokens = factors(.linear(hasBias: true), h, s, samples: 4)
    let rows = factors(.linear(hasBias: true), h, s, samples: 12)
    #expect(tokens.inputs == rows.inputs && tokens.outputs == rows.outputs)
    let summed = Matrix(rows: 12, columns: 3) { i, j in 16 * s[i, j] }
    let sum = LayerCapture(
      kind: .linear(hasBias: true), inputs: h, outputGradients: .ofSum(summed, terms: 16), sampleCount: 4)
    #expect(FactorDiagonals(sum, dividesByPatch: false, threads: 1).outputs == rows.outputs)
  }

  /// Every number of rows and columns around the width of a vector and the stretch of a sum, on any threads.
  @Test func floatsOfAllSizes() {
    var violations = Violations()
    var generator = Generator(seed: Seed.first)
    for rows in [1, 2, 63, 64, 65, 200] {
      for width in [1, 7, 8, 9, 31, 32, 33, 65, 300] {
        let h = Matrix<Float>(rows: rows, columns: width) { _, _ in generator.uniform() }
        let f = factors(.linear(hasBias: false), h, h, samples: rows)
        for threads in [2, 7] {
          let other = factors(.linear(hasBias: false), h, h, samples: rows, threads: threads)
          violations.expect(other.inputs == f.inputs, "\(rows)×\(width), \(threads) threads")
        }
        for j in 0..<width {
          let expected = (0..<rows).reduce(0.0) { $0 + Double(h[$1, j]) * Double(h[$1, j]) } / Double(rows)
          // At most 64 additions and a product in single precision.
          violations.expect(
            abs(f.inputs[j] - expected) <= 65 * Float.unitRoundoff * expected, "\(rows)×\(width), \(j)")
        }
      }
    }
    #expect(violations.isEmpty, "\(violations)")
  }
}
