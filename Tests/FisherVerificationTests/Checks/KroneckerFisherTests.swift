import FisherKit
import FisherRuntime
import Testing

/// Where theory says that a layer's block of the Fisher matrix is a Kronecker product, K-FAC's factors are that block. Labels are
/// enumerated: every class with its probability, or a column of the curvature's root for each output.
@Suite struct KroneckerFisherTests {
  /// A deep linear network on some kind of samples, half the squared error.
  struct Setting: Sendable, CustomStringConvertible {
    let description: String
    let input: SampleShape
    let layers: [Layer]
    let sharing: WeightSharing
    /// Outputs have a loss each at so many positions.
    var lossPositions = 1
  }

  static let settings = [
    Setting(
      description: "features", input: [5], layers: [.linear(4), .linear(6), .linear(3)], sharing: .expand),
    // A loss at every position: positions are samples.
    Setting(
      description: "positions", input: [4, 5], layers: [.linear(3), .linear(4), .linear(2)], sharing: .expand,
      lossPositions: 4),
    // A loss of the mean of all positions: one product a sample.
    Setting(
      description: "pooled positions", input: [3, 2, 4],
      layers: [.convolution(4, size: 1), .convolution(3, size: 1), .globalAveragePool, .linear(2)],
      sharing: .reduce),
  ]

  @Test(arguments: settings)
  func ofDeepLinearNetworks(setting: Setting) throws {
    let network = try Network<Double>(
      input: setting.input, setting.layers, loss: Loss<MeanReduction>.squaredError)
    let workspace = network.makeWorkspace(threads: 1)
    let values = network.initialValues(seed: 3)
    let samples = 6
    let inputs = Matrix<Double>(rows: samples, columns: setting.input.count) {
      sin(Double(7 * $0 + 3 * $1 * $1))
    }
    let labels = Matrix<Double>(rows: samples, columns: network.output.count) { cos(Double(5 * $0 + $1)) }
    workspace.forward(values, inputs, .values(labels), mode: .evaluation)
    let columns = workspace.exactFisher(values).columns.map(\.layers)
    for layer in Set(network.parameters.compactMap(\.layer)).sorted() {
      let captures = columns.map { $0[layer]! }
      // The sum over samples and columns of v·vᵀ, v = the gradient of [W b].
      var F: Matrix<Double>?
      for capture in captures {
        for n in 0..<samples {
          let v = gradient(capture, sample: n)
          F = F ?? Matrix(rows: v.count, columns: v.count)
          syrk(alpha: 1, Matrix(v, rows: v.count, columns: 1), beta: 1, into: &F!)
        }
      }
      let exact = mirrored(F!)
      // A is a mean over the losses, G one over the columns, which add up.
      let (A, G) = factors(captures, setting.sharing)
      expectEqual(kronecker(G, A), exact, Double(samples * setting.lossPositions * captures.count), layer)
    }
  }

  /// One sample with the classes drawn from the model: m = 1 is exact for any network.
  @Test func ofOneSample() throws {
    let network = try Network<Double>(input: [4], [.linear(5), .tanh, .linear(3)])
    let workspace = network.makeWorkspace(threads: 1)
    let values = network.initialValues(seed: 5)
    let inputs: Matrix<Double> = [[0.3, -1, 0.7, 2]]
    workspace.forward(values, inputs, mode: .evaluation)
    let z = workspace.outputs.array
    let total = z.reduce(0) { $0 + exp($1) }
    for layer in ["layers.0", "layers.2"] {
      var (F, G, A): (Matrix<Double>?, Matrix<Double>?, Matrix<Double>?) = (nil, nil, nil)
      for label in 0..<3 {
        let p = exp(z[label]) / total
        workspace.forward(values, inputs, .classes([label]), mode: .evaluation)
        let capture = workspace.labelledCaptures(values).layers[layer]!
        let v = gradient(capture, sample: 0)
        let (a, g) = factors([capture], .expand)
        F = F ?? Matrix(rows: v.count, columns: v.count)
        G = G ?? Matrix(rows: g.rows, columns: g.rows)
        syrk(alpha: p, Matrix(v, rows: v.count, columns: 1), beta: 1, into: &F!)
        axpy(alpha: p, g, into: &G!)
        A = a
      }
      expectEqual(kronecker(G!, A!), mirrored(F!), 1, layer)
    }
  }

  /// K-FAC's factors of captures: A of the first, G the mean of all.
  private func factors(
    _ captures: [LayerCapture<Double>], _ sharing: WeightSharing
  ) -> (A: Matrix<Double>, G: Matrix<Double>) {
    let first = captures[0]
    var A = Matrix<Double>(rows: first.weightColumns + 1, columns: first.weightColumns + 1)
    first.averageInputFactor(&A, keeping: 0, sharing: sharing)
    var G = Matrix<Double>(rows: first.weightRows, columns: first.weightRows)
    for (k, capture) in captures.enumerated() {
      // The running mean.
      capture.averageOutputFactor(&G, keeping: Double(k) / Double(k + 1), sharing: sharing)
    }
    return (mirrored(A), mirrored(G))
  }

  /// [dW db] of a sample's loss, row by row.
  private func gradient(_ capture: LayerCapture<Double>, sample n: Int) -> [Double] {
    var w = [Double](repeating: 0, count: capture.sampleCount)
    w[n] = 1
    let (weight, bias) = capture.gradients(weighting: w, of: .all)
    let (W, b) = (weight!, bias!.array)
    return (0..<W.rows).flatMap { W.row($0).array + [b[$0]] }
  }

  private func mirrored(_ lower: Matrix<Double>) -> Matrix<Double> {
    Matrix(rows: lower.rows, columns: lower.rows) { lower[max($0, $1), min($0, $1)] }
  }

  private func kronecker(_ G: Matrix<Double>, _ A: Matrix<Double>) -> Matrix<Double> {
    let n = A.rows
    return Matrix(rows: G.rows * n, columns: G.rows * n) { G[$0 / n, $1 / n] * A[$0 % n, $1 % n] }
  }

  /// scale·found = exact, to rounding.
  private func expectEqual(_ found: Matrix<Double>, _ exact: Matrix<Double>, _ scale: Double, _ layer: String)
  {
    let largest = exact.array.map(abs).max() ?? 0
    let error = zip(found.array, exact.array).map { abs(scale * $0 - $1) }.max() ?? .infinity
    #expect(largest > 0 && error < 1e-12 * largest, "\(layer): \(error) of \(largest)")
  }
}
