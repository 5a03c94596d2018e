import FisherCurvature
import FisherLinearAlgebra
import FisherOptimizers
import FisherRuntime
import FisherTestSupport
import Testing

/// Statistics from the gradients of single samples.
@Suite struct MiniBlockSampleTests {
  static let layer = Run.dense(2, 3)

  /// Samples with inputs `h` and output gradients `s·signs`, and the gradient of their mean loss.
  private func batch(
    _ h: Matrix<Double>, _ s: Matrix<Double>, signs: [Double]? = nil
  ) -> (gradients: [[Double]], captures: Captures<Double, Empirical>) {
    let m = h.rows
    let g = Matrix<Double>(rows: m, columns: s.columns) { n, o in s[n, o] * (signs?[n] ?? 1) / Double(m) }
    let sums = (0..<g.columns).map { o in (0..<m).reduce(0) { $0 + g[$1, o] } }
    let capture = LayerCapture<Double>(
      kind: .linear(hasBias: true), inputs: h, outputGradients: .ofMean(g, terms: m), sampleCount: m)
    return ([g.transposed.multiplied(by: h).array, sums], Captures(["l": capture]))
  }

  private func statistics(
    _ settings: [String: SettingValue],
    _ batch: (gradients: [[Double]], captures: Captures<Double, Empirical>)
  ) throws -> [Double] {
    var run = try Run(settings, Self.layer)
    try run.step(batch.gradients, batch.captures)
    return try statistics(run)
  }

  /// Ĝ of the neurons' shared block, or of their own ones.
  private func statistics(_ run: Run) throws -> [Double] {
    let G = try #require(run.state("G", of: "w"))
    return try G.rows == 4 ? G.array : #require(run.blocks("G", of: "w", count: 2, order: 4)).array
  }

  @Test(arguments: ["shared", "perNeuron"])
  func oneSampleIsItsOwnMean(dense: String) throws {
    let one = batch([[0.3, -0.7, 0.2]], [[0.5, -0.1]])
    let mean = try statistics(["dense": .choice(dense)], one)
    let samples = try statistics(["dense": .choice(dense), "statistics": "perSample"], one)
    #expect(error(samples, mean) < 1e-14)
  }

  /// Over all signs of the samples' gradients, which makes them independent with mean zero, the product of the mean is on
  /// average the mean of the products over m.
  @Test(arguments: ["shared", "perNeuron"])
  func expectationOverSigns(dense: String) throws {
    let h = Matrix(random(12, 5), rows: 4, columns: 3)
    let s = Matrix(random(8, 6), rows: 4, columns: 2)
    var sum: [Double] = []
    for code in 0..<16 {
      let signs = (0..<4).map { code >> $0 & 1 == 0 ? 1.0 : -1 }
      let G = try statistics(["dense": .choice(dense)], batch(h, s, signs: signs))
      sum = sum.isEmpty ? G : zip(sum, G).map { $0 + $1 }
    }
    let samples = try statistics(["dense": .choice(dense), "statistics": "perSample"], batch(h, s))
    #expect(error(sum.map { $0 / 16 }, samples.map { $0 / 4 }) < 1e-13)
  }

  /// Improved statistics are the mean of ∇ℓₙ·∇ℓₙᵀ/‖∂ℓₙ/∂zₙ‖², whatever the scale of the losses.
  @Test(arguments: ["shared", "perNeuron"])
  func improvedStatistics(dense: String) throws {
    let h = Matrix(random(12, 5), rows: 4, columns: 3)
    let s = Matrix(random(8, 6), rows: 4, columns: 2)
    func improved(_ c: Double) throws -> [Double] {
      let scaled = batch(h, Matrix(rows: 4, columns: 2) { c * s[$0, $1] })
      var run = try Run(["dense": .choice(dense), "statistics": "improved"], Self.layer)
      // The layer's outputs are those of the network.
      try run.step(scaled.gradients, scaled.captures, outputs: scaled.captures.layers["l"]!.outputGradients)
      return try statistics(run)
    }
    var expected = [Double](repeating: 0, count: dense == "shared" ? 16 : 32)
    for n in 0..<4 {
      let (x, norm) = (h.row(n).array + [1], dot(s.row(n).array, s.row(n).array))
      for o in 0..<2 {
        for r in 0..<4 {
          // The shared block is kept as its lower triangle.
          for c in 0..<(dense == "shared" ? r + 1 : 4) {
            let share = s[n, o] * s[n, o] / norm * x[r] * x[c] / 4
            if dense == "shared" {
              expected[4 * r + c] += share / 2
            } else {
              expected[16 * o + 4 * r + c] += share
            }
          }
        }
      }
    }
    #expect(error(try improved(1), expected) < 1e-13)
    #expect(error(try improved(1000), expected) < 1e-13)
    var without = try Run(["statistics": "improved"], Self.layer)
    let plain = batch(h, s)
    #expect {
      try without.step(plain.gradients, plain.captures)
    } throws: {
      "\($0)".contains("mbf needs logit gradients")
    }
  }

  /// More gradients than are formed at a time.
  @Test func manyElements() throws {
    let (tokens, width) = (2048, 1024)
    let parameter = ParameterInfo(name: "e", shape: [tokens, width], role: .embedding, layer: "e")
    let s = Matrix(random(3 * width, 8), rows: 3, columns: width)
    let capture = LayerCapture<Double>(
      kind: .embedding(tokens: tokens), inputs: [[7], [2047], [7]], outputGradients: .ofMean(s, terms: 3),
      sampleCount: 3)
    var run = try Run(["statistics": "perSample"], [parameter], threads: 2)
    try run.step([[Double](repeating: 0.5, count: parameter.count)], Captures(["e": capture]))
    let G = try #require(run.state("G", of: "e"))
    for j in [0, 1, width - 1] {
      let expected = 3 * (s[0, j] * s[0, j] + s[2, j] * s[2, j])
      #expect(abs(G[7, j] - expected) < 1e-14 && abs(G[2047, j] - 3 * s[1, j] * s[1, j]) < 1e-14)
      #expect(G[8, j] == 0)
    }
  }

  /// The same for separate blocks, whose number is no multiple of those that lie side by side: none of the samples is lost.
  @Test func manySamplesOfSeparateBlocks() throws {
    let (m, inputs, outputs) = (230, 8, 2101)
    let h = Matrix(random(m * inputs, 5), rows: m, columns: inputs)
    let s = Matrix(random(m * outputs, 6), rows: m, columns: outputs)
    let batch = batch(h, s)
    var run = try Run(
      ["dense": "perNeuron", "statistics": "perSample"], Run.dense(outputs, inputs), threads: 2)
    for _ in 0..<2 { try run.step(batch.gradients, batch.captures) }
    let G = try #require(run.blocks("G", of: "w", count: outputs, order: inputs + 1))
    for neuron in [0, 1000, outputs - 1] {
      var expected = [Double](repeating: 0, count: 81)
      for n in 0..<m {
        let x = h.row(n).array + [1]
        for i in 0..<81 { expected[i] += s[n, neuron] * s[n, neuron] * x[i / 9] * x[i % 9] / Double(m) }
      }
      #expect(error(Array(G[rows: 9 * neuron..<9 * neuron + 9, columns: 0...].array), expected) < 1e-13)
    }
  }

  @Test func mixedSamplesAreRefused() throws {
    let parameter = ParameterInfo(name: "γ", shape: [2], role: .normScale, layer: "n")
    let x = Matrix(random(8, 3), rows: 4, columns: 2)
    let capture = LayerCapture<Double>(
      kind: .batchNorm(channels: 2, area: 1), inputs: x, outputGradients: .ofMean(x, terms: 4),
      sampleCount: 4, normalized: x, mixesSamples: true)
    var run = try Run(["statistics": "perSample"], [parameter])
    #expect {
      try run.step([[1, 1]], Captures(["n": capture]))
    } throws: {
      "\($0)".contains("layer n") && "\($0)".contains("freeze")
    }
    #expect(run.driver.stepCount == 0 && run.driver.state.tensors.isEmpty)
    var mean = try Run([:], [parameter])
    try mean.step([[1, 1]], Captures(["n": capture]))
  }

  /// Blocks of the Gauss-Newton matrix, all samples, squared loss, linear model of five blocks with more weights each than
  /// there are samples: with steps of 1/5 the residual shrinks by at least as much in every step.
  @Test func linearConvergence() throws {
    let (n, K, width) = (6, 5, 9)
    let λ = 1e-3
    let parameters = (0..<K).map {
      ParameterInfo(name: "w\($0)", shape: [1, width], role: .linearWeight, layer: "l\($0)")
    }
    let X = (0..<K).map { Matrix(random(n * width, Seed.first &+ UInt64($0)), rows: n, columns: width) }
    let y = random(n, 77)
    // The captures of the model itself: ∂u/∂z = 1, whatever the residual.
    let ones = Matrix<Double>(repeating: 1, rows: n, columns: 1)
    let J = Captures<Double, Empirical>(
      Dictionary(
        uniqueKeysWithValues: (0..<K).map { b in
          (
            "l\(b)",
            LayerCapture(
              kind: .linear(hasBias: false), inputs: X[b], outputGradients: .ofSum(ones, terms: n),
              sampleCount: n)
          )
        }))
    for b in 0..<K {
      // The premise n·λ ≤ (K − 1)·λ₀: the Gram matrix less n·λ/(K − 1) is still positive definite.
      var G = X[b].multiplied(by: X[b].transposed)
      for i in 0..<n { G[i, i] -= Double(n) * λ / Double(K - 1) }
      #expect((try? Cholesky(G)) != nil)
    }
    var run = try Run(
      [
        "lr": .number(1 / Double(K)), "damping": .number(λ), "beta": 0, "statistics": "perSample",
        "inversePeriod": 1,
      ], parameters)
    func residual() -> [Double] {
      (0..<n).map { s in (0..<K).reduce(-y[s]) { $0 + dot(X[$1].row(s).array, run.values[$1].array) } }
    }
    var length = dot(residual(), residual()).squareRoot()
    for _ in 0..<20 {
      let r = residual()
      try run.step(
        X.map { x in (0..<width).map { j in (0..<n).reduce(0) { $0 + x[$1, j] * r[$1] / Double(n) } } }, J)
      let next = dot(residual(), residual()).squareRoot()
      #expect(next <= (1 - 1 / Double(K)) * length + 1e-14)
      length = next
    }
    #expect(length < 1e-2 * dot(y, y).squareRoot())
  }
}
