import FisherCurvature
import FisherLinearAlgebra
import FisherOptimizers
import FisherPluginAdaFisher
import OptimizerTestSupport
import Testing

/// Numbers of the official code, run in double precision, and of the formulas worked out by hand.
@Suite struct AdaFisherGoldenTests {
  /// A layer of two inputs and three outputs, the same batch twice.
  static let linear: Trace = {
    let capture = LayerCapture<Double>(
      kind: .linear(hasBias: true), inputs: [[1, 2], [3, -1]],
      outputGradients: .ofMean([[0.1, -0.2, 0.05], [0, 0.3, -0.1]], terms: 2), sampleCount: 2)
    let gradients = [[0.1, 0.2, 0.7, -0.7, -0.25, 0.2], [0.1, 0.1, -0.05]]
    return Trace(
      parameters: [
        ParameterInfo(name: "W", shape: [3, 2], role: .linearWeight, layer: "L"),
        ParameterInfo(name: "b", shape: [3], role: .bias, layer: "L"),
      ], values: [[0.5, -0.5, 1, 0, 0, 2], [0.1, 0.2, 0.3]], gradients: [gradients, gradients],
      captures: [Captures(["L": capture]), Captures(["L": capture])])
  }()

  static let official: [String: SettingValue] = [
    "variant": "official", "refresh": 1, "lr": 1e-3, "weightDecay": 0.01,
  ]

  private func check(_ optimizer: any Optimizer, steps: Int, _ W: [Double], _ b: [Double]) throws {
    let full = Self.linear
    let trace = Trace(
      parameters: full.parameters, values: full.values, gradients: Array(full.gradients.prefix(steps)),
      captures: full.captures)
    for values in [try trace.run(optimizer, Double.self), trace.runReference(optimizer.reference())] {
      for (value, expected) in zip(values[0] + values[1], W + b) {
        #expect(abs(value - expected) < 1e-9, "step \(steps): \(values)")
      }
    }
  }

  @Test func coupledDecay() throws {
    try check(
      AdaFisher(Self.official), steps: 1,
      [0.4869402982, -0.5255235604, 0.9188013533, 0.0842968375, 0.0310379092, 1.9712562322],
      [0.0863513514, 0.1873134160, 0.3063399282])
    try check(
      AdaFisher(Self.official), steps: 2,
      [0.3912224495, -0.7090654278, 0.3401249670, 0.6952714978, 0.2583764189, 1.7645209736],
      [-0.0106054626, 0.0943302860, 0.3514086280])
  }

  @Test func decoupledDecay() throws {
    try check(
      AdaFisherW(Self.official), steps: 1,
      [0.4875571888, -0.5261730107, 0.9199349962, 0.0842968375, 0.0310379092, 1.9738493020],
      [0.0864854865, 0.1875601726, 0.3067416045])
    try check(
      AdaFisherW(Self.official), steps: 2,
      [0.3963327429, -0.7145455906, 0.3490561659, 0.6956581427, 0.2585247553, 1.7857590927],
      [-0.0095805490, 0.0963386512, 0.3547180258])
  }

  /// One step without momentum and decay, with α = 1, is g/F̃: so F̃ can be read off.
  private func divisors(_ settings: [String: SettingValue], _ trace: Trace) throws -> [[Double]] {
    let plain = settings.merging(["lr": 1, "beta": 0, "weightDecay": 0]) { $1 }
    let one = Trace(
      parameters: trace.parameters, values: trace.values, gradients: [trace.gradients[0]],
      captures: trace.captures)
    let values = try one.run(try AdaFisher(plain), Double.self)
    return zip(zip(one.values, values), one.gradients[0]).map { pair, g in
      zip(zip(pair.0, pair.1), g).map { $1 / ($0.0 - $0.1) }
    }
  }

  private func expectClose(_ a: [Double], _ b: [Double], _ tolerance: Double) {
    #expect(a.count == b.count && zip(a, b).allSatisfy { abs($0 - $1) < tolerance }, "\(a) and \(b)")
  }

  @Test func divisorsOfTheFirstStep() throws {
    let F = try divisors(Self.official, Self.linear)
    expectClose(F[0], [0.00804, 0.00764, 0.008743988, 0.008303989, 0.008054666, 0.007653833], 1e-9)
    expectClose(F[1], [0.0074, 0.008039989, 0.007413333], 1e-9)
    let paper = try divisors(["lambda": 1e-3], Self.linear)
    expectClose(paper[0], [0.001, 0.001, 1.001, 0.376, 0.0218333333, 0.0088125], 1e-9)
    expectClose(paper[1], [0.001, 0.001, 0.001], 1e-9)
    let otherOrientation = try divisors(["lambda": 1e-3, "keep": 0.2, "mix": 0.8], Self.linear)
    expectClose(otherOrientation[0], paper[0], 1e-12)
  }

  @Test func averagesInTheState() throws {
    var states: [[String: [Double]]] = []
    _ = try Self.linear.run(try AdaFisher(Self.official), Double.self) { driver in
      states.append(
        Dictionary(
          uniqueKeysWithValues: driver.state.tensors.filter { $0.key.owner == "L" }
            .map { ($0.key.slot, $0.value.array) }))
    }
    expectClose(states[1]["H"] ?? [], [0.0879999980, 0.0829999993, 0.08], 1e-10)
    expectClose(states[1]["S"] ?? [], [0.08, 0.0879998667, 0.0801666639], 1e-10)
  }

  /// Both the fast and the naive factors of a capture.
  private func factors(
    _ kind: LayerKind, _ h: Matrix<Double>, _ s: Matrix<Double>, samples: Int, dividesByPatch: Bool = true
  ) -> [(H: [Double], S: [Double])] {
    let capture = LayerCapture<Double>(
      kind: kind, inputs: h, outputGradients: .ofMean(s, terms: samples), sampleCount: samples)
    let fast = FactorDiagonals(capture, dividesByPatch: dividesByPatch, threads: 1)
    return [(fast.inputs, fast.outputs), naiveFactors(capture, dividesByPatch: dividesByPatch)]
  }

  @Test func convolution() {
    let shape = ConvolutionGeometry(
      channels: 1, height: 3, width: 3, outputs: 2, kernelHeight: 2, kernelWidth: 2)
    let h: Matrix<Double> = [[1, 2, 3, 4, 5, 6, 7, 8, 9]]
    let s: Matrix<Double> = [[0.1, 0.2, 0, -0.1, 0.3, 0, 0.1, 0.1]]
    for f in factors(.convolution(shape, hasBias: false), h, s, samples: 1) {
      expectClose(f.H, [2.875, 4.625, 9.625, 12.875], 1e-12)
      expectClose(f.S, [0.015, 0.0275], 1e-12)
    }
    for f in factors(.convolution(shape, hasBias: false), h, s, samples: 1, dividesByPatch: false) {
      expectClose(f.H, [11.5, 18.5, 38.5, 51.5], 1e-12)
    }
  }

  @Test func groupedConvolution() {
    let shape = ConvolutionGeometry(
      channels: 4, height: 3, width: 3, outputs: 4, kernelHeight: 2, kernelWidth: 2, groups: 2)
    let h = Matrix<Double>(rows: 1, columns: 36) { _, j in Double(j + 1) / 10 }
    let s = Matrix<Double>(rows: 1, columns: 16)
    for f in factors(.convolution(shape, hasBias: true), h, s, samples: 1) {
      expectClose(
        f.H, [0.56875, 0.63125, 0.77125, 0.84875, 1.31125, 1.41875, 1.64875, 1.77125, 0.25], 1e-12)
    }
  }

  @Test func batchNorm() throws {
    let h: Matrix<Double> = [[1, 2, 3, 4], [5, 6, 7, 8]]
    let s: Matrix<Double> = [[0.1, -0.2, 0.3, 0], [0.2, 0.1, -0.1, 0.4]]
    for f in factors(.batchNorm(channels: 2, area: 2), h, s, samples: 2) {
      expectClose(f.H, [10.625, 0.5], 1e-12)
      expectClose(f.S, [0.02, 0.18], 1e-12)
    }
    let capture = LayerCapture<Double>(
      kind: .batchNorm(channels: 2, area: 2), inputs: h, outputGradients: .ofMean(s, terms: 2), sampleCount: 2
    )
    let trace = Trace(
      parameters: [
        ParameterInfo(name: "γ", shape: [2], role: .normScale, layer: "n"),
        ParameterInfo(name: "β", shape: [2], role: .normShift, layer: "n"),
      ], values: [[0, 0], [0, 0]], gradients: [[[1, 1], [1, 1]]], captures: [Captures(["n": capture])])
    let F = try divisors(Self.official, trace)
    expectClose(F[0], [0.00804, 0.008743996], 1e-9)
    expectClose(F[1], [0.0074, 0.008039996], 1e-9)
  }

  @Test func layerNorm() {
    let h = Matrix<Double>(rows: 6, columns: 2) { i, j in Double(2 * i + j + 1) / 10 }
    let s: Matrix<Double> = [[0.1, 0.2], [0, 0.1], [-0.1, 0.3], [0.2, -0.2], [0.1, 0], [0.05, 0.05]]
    for f in factors(.layerNorm, h, s, samples: 2) {
      expectClose(f.H, [0.336875, 0.75], 1e-12)
      expectClose(f.S, [0.06125, 0.10125], 1e-12)
    }
    for f in factors(.layerNorm, [[1, 2, 3], [4, 5, 6]], Matrix(rows: 2, columns: 3), samples: 2) {
      expectClose(f.H, [38.75, 0.75], 1e-12)
    }
  }

  @Test func scaling() {
    #expect(minMax([2, 2, 2], ε: 1e-6) == [0, 0, 0])
    #expect(minMax([2, 2, 2], ε: 0) == [0, 0, 0])
    expectClose(minMax([1, .infinity, 3], ε: 1e-6), [0, 0, 0.9999995], 1e-12)
    #expect(minMax([], ε: 0) == [])
  }
}
