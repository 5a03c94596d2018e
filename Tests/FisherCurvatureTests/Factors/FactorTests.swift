import FisherCurvature
import FisherLinearAlgebra
import FisherTestSupport
import Testing

/// Kronecker factors of layers against their definition, entry by entry.
@Suite struct KroneckerFactorTests {
  static let cases = CaptureCase.all.filter {
    switch $0.kind {
    case .linear, .convolution: return true
    default: return false
    }
  }

  /// For every sample, what the weight sees in each group and position, and the output gradients in each position.
  private func rows(
    _ subject: CaptureCase, _ capture: LayerCapture<Double>, sample n: Int
  ) -> (h: [[[Double]]], d: [[Double]]) {
    let (h, g) = (capture.inputs, capture.outputGradients.ofSum)
    guard case .convolution(let shape, _) = subject.kind else {
      let own = n * capture.positions..<(n + 1) * capture.positions
      return ([own.map { h.row($0).array }], own.map { g.row($0).array })
    }
    let perGroup = shape.channels / shape.groups
    let patches = (0..<shape.groups).map { group in
      (0..<shape.positions).map { t in
        (0..<shape.patchSize).map { tap -> Double in
          let (kx, ky) = (tap % shape.kernelWidth, tap / shape.kernelWidth % shape.kernelHeight)
          let c = group * perGroup + tap / (shape.kernelWidth * shape.kernelHeight)
          let y = t / shape.outputWidth * shape.stride + ky * shape.dilation - shape.padding
          let x = t % shape.outputWidth * shape.strideAcross + kx * shape.dilation - shape.paddingAcross
          guard 0..<shape.height ~= y, 0..<shape.width ~= x else { return 0 }
          return h[n, (c * shape.height + y) * shape.width + x]
        }
      }
    }
    let d = (0..<shape.positions).map { t in (0..<shape.outputs).map { g[n, $0 * shape.positions + t] } }
    return (patches, d)
  }

  private func mean(_ rows: [[Double]]) -> [Double] {
    rows[0].indices.map { i in rows.reduce(0) { $0 + $1[i] } / Double(rows.count) }
  }

  /// A and G of a batch.
  private func factors(
    _ subject: CaptureCase, _ capture: LayerCapture<Double>, _ sharing: WeightSharing, bias: Bool
  ) -> (A: [[Double]], G: [[Double]]) {
    var (inputs, outputs): ([[Double]], [[Double]]) = ([], [])
    var groups = 1
    for n in 0..<capture.sampleCount {
      let (h, d) = rows(subject, capture, sample: n)
      groups = h.count
      inputs += sharing == .expand ? h.flatMap { $0 } : h.map(mean)
      outputs += sharing == .expand ? d : [mean(d).map { $0 * Double(d.count) }]
    }
    if bias { inputs = inputs.map { $0 + [1] } }
    let terms = capture.outputGradients.scaleToSum / capture.outputGradients.scaleToMean
    func products(_ rows: [[Double]], _ divisor: Double) -> [[Double]] {
      rows[0].indices.map { i in
        rows[0].indices.map { j in rows.reduce(0) { $0 + $1[i] * $1[j] } / divisor }
      }
    }
    return (products(inputs, terms * Double(groups)), products(outputs, Double(outputs.count)))
  }

  private func expectLower(_ X: Matrix<Double>, _ Y: [[Double]], _ old: Double, _ kept: Double) {
    for i in 0..<X.rows {
      for j in 0...i {
        let expected = kept * old + (1 - kept) * Y[i][j]
        #expect(abs(X[i, j] - expected) < 1e-12, "\(i), \(j)")
      }
    }
  }

  @Test(arguments: cases, WeightSharing.allCases)
  func areTheirDefinition(subject: CaptureCase, sharing: WeightSharing) {
    var generator = Generator(seed: Seed.first)
    let capture = subject.capture(samples: 3, &generator)
    for bias in [false, true] {
      let expected = factors(subject, capture, sharing, bias: bias)
      for kept in [0, 0.3, 1] {
        for threads in [1, 2] {
          // With β = 0 what was there is not read.
          let old = kept == 0 ? Double.nan : 0.5
          var A = Matrix(repeating: old, rows: expected.A.count, columns: expected.A.count)
          var G = Matrix(repeating: old, rows: expected.G.count, columns: expected.G.count)
          capture.averageInputFactor(
            &A, keeping: kept, of: bias ? .all : .weight, sharing: sharing, threads: threads)
          capture.averageOutputFactor(&G, keeping: kept, sharing: sharing, threads: threads)
          expectLower(A, expected.A, kept == 0 ? 0 : old, kept)
          expectLower(G, expected.G, kept == 0 ? 0 : old, kept)
        }
      }
    }
  }

  /// The bias alone: one entry, the rows over the terms of the mean.
  @Test(arguments: cases)
  func ofTheBiasAlone(subject: CaptureCase) {
    var generator = Generator(seed: Seed.first)
    let capture = subject.capture(samples: 3, &generator)
    let expected = factors(subject, capture, .expand, bias: true).A
    var A = Matrix<Double>(rows: 1, columns: 1)
    capture.averageInputFactor(&A, keeping: 0, of: .bias)
    #expect(abs(A[0, 0] - expected.last!.last!) < 1e-14)
  }

  /// Gradients of the mean and of the sum are one thing.
  @Test func scalesOfTheBackwardPassDoNotMatter() {
    let D: Matrix<Double> = [[1, -2], [0.5, 4]]
    func factor(_ gradients: OutputGradients<Double>) -> Matrix<Double> {
      var G = Matrix<Double>(rows: 2, columns: 2)
      LayerCapture<Double>(
        kind: .linear(hasBias: false), inputs: D, outputGradients: gradients, sampleCount: 2
      ).averageOutputFactor(&G, keeping: 0)
      return G
    }
    let halves = Matrix(D.array.map { $0 / 2 }, rows: 2, columns: 2)
    #expect(factor(.ofSum(D, terms: 2)) == factor(.ofMean(halves, terms: 2)))
  }
}
