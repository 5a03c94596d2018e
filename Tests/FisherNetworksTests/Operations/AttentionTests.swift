import FisherCurvature
import FisherLinearAlgebra
import FisherNetworks
import FisherTestSupport
import Testing

@Suite struct AttentionTests {
  private func outputs(
    _ layers: [Layer], _ inputs: Matrix<Double>, positions: Int, values: [Matrix<Double>]? = nil
  ) throws -> Matrix<Double> {
    let network = try Network<Double>(input: [positions, inputs.columns / positions], layers)
    return network.predict(inputs, with: values ?? network.initialValues(seed: 1), threads: 2)
  }

  private func random(_ rows: Int, _ columns: Int, seed: UInt64 = Seed.first) -> Matrix<Double> {
    var generator = Generator(seed: seed)
    return Matrix(rows: rows, columns: columns) { _, _ in generator.uniform() }
  }

  /// What comes later changes no bit of what was before.
  @Test(arguments: [false, true]) func causalPositionsSeeNoLaterOnes(rotary: Bool) throws {
    let layers: [Layer] = [.positionEmbedding, .transformerBlock(width: 8, heads: 2, rotary: rotary)]
    let x = random(2, 6 * 8)
    let before = try outputs(layers, x, positions: 6)
    for t in 1..<6 {
      var changed = x
      for j in t * 8..<48 { changed[1, j] += 1 }
      let after = try outputs(layers, changed, positions: 6)
      #expect(after.row(0) == before.row(0))
      #expect(after.row(1).array[..<(t * 8)] == before.row(1).array[..<(t * 8)], "position \(t)")
      #expect(after.row(1).array[(t * 8)...] != before.row(1).array[(t * 8)...])
    }
  }

  /// Without positions, attention does not know the order: exchanged rows in, exchanged rows out.
  @Test func withoutPositionsTheOrderDoesNotMatter() throws {
    let order = [3, 0, 4, 1, 2]
    let x = random(1, 5 * 6)
    let exchanged = Matrix(rows: 1, columns: 30) { _, j in x[0, order[j / 6] * 6 + j % 6] }
    func difference(_ layer: Layer) throws -> Double {
      let (y, z) = (try outputs([layer], x, positions: 5), try outputs([layer], exchanged, positions: 5))
      return (0..<30).map { abs(z[0, $0] - y[0, order[$0 / 6] * 6 + $0 % 6]) }.max()!
    }
    #expect(try difference(.selfAttention(width: 6, heads: 3, causal: false)) < 1e-14)
    #expect(try difference(.selfAttention(width: 6, heads: 3, causal: false, rotary: true)) > 1e-4)
    #expect(try difference(.selfAttention(width: 6, heads: 3)) > 1e-4)
  }

  /// Turned q and k know distances alone: with the same rows further on, hidden behind nothing, the weights are the same.
  @Test func turnedPositionsKnowDistances() throws {
    // Position t has q = a, k = b and v = one-hot of t: the outputs are the weights.
    let (positions, size) = (6, 6)
    let a = random(1, size), b = random(1, size, seed: 99)
    let x = Matrix<Double>(rows: 1, columns: positions * 3 * size) { _, j in
      let (t, i) = (j / (3 * size), j % size)
      switch j % (3 * size) / size {
      case 0: return a[0, i]
      case 1: return b[0, i]
      default: return i == t ? 1 : 0
      }
    }
    let y = try outputs(
      [.attention(heads: 1, causal: false, rotary: true)], x, positions: positions, values: [])
    // P[t, u]/P[t, u + 1] depends on t − u.
    func ratio(_ t: Int, _ u: Int) -> Double { y[0, t * size + u] / y[0, t * size + u + 1] }
    for t in 1..<positions {
      for u in 1..<positions - 1 { #expect(abs(ratio(t, u) - ratio(t - 1, u - 1)) < 1e-12 * ratio(t, u)) }
    }
    #expect(abs(ratio(1, 0) - ratio(0, 0)) > 1e-3)
  }

  /// A head with equal keys takes the mean; one key far ahead takes all.
  @Test func theLimitsAreTheMeanAndTheLargest() throws {
    let values: [Double] = [1, 2, 3, 10]
    func heads(_ keys: [Double]) throws -> [Double] {
      let x = Matrix<Double>(rows: 1, columns: 12) { _, j in [1000, keys[j / 3], values[j / 3]][j % 3] }
      return try outputs([.attention(heads: 1, causal: false)], x, positions: 4, values: []).array
    }
    #expect(try heads([5, 5, 5, 5]) == [4, 4, 4, 4])
    #expect(try heads([5, 9, 5, 5]) == [2, 2, 2, 2])
    let x = Matrix<Double>(rows: 1, columns: 12) { _, j in [0, 7, values[j / 3]][j % 3] }
    #expect(try outputs([.attention(heads: 1)], x, positions: 4, values: []).array == [1, 1.5, 2, 4])
  }

  /// A number that is not finite stays in its sample.
  @Test func nanStaysInItsSample() throws {
    var x = random(3, 4 * 6)
    let before = try outputs([.transformerBlock(width: 6, heads: 2)], x, positions: 4)
    x[1, 7] = .nan
    let after = try outputs([.transformerBlock(width: 6, heads: 2)], x, positions: 4)
    #expect(after.row(0) == before.row(0) && after.row(2) == before.row(2))
    #expect(after.row(1).array[6..<12].allSatisfy { $0.isNaN })
    #expect(after.row(1).array.contains { $0.isNaN })
  }

  private static let misfits: [(shape: SampleShape, layer: Layer, message: String)] = [
    ([4, 7], .attention(heads: 1), "positions × features that are q, k and v of 1 heads"),
    ([4, 12], .attention(heads: 3), "q, k and v of 3 heads"),
    ([4, 6], .attention(heads: 2, rotary: true), "each of an even number of features"),
    ([4, 6], .attentionWithDropout(1, heads: 1), "a rate in 0 ..< 1, not 1.0"),
    ([12], .attention(heads: 1), "positions × features"), ([12], .positionEmbedding, "positions × features"),
    ([2, 3, 3], .rmsNorm(), "features, after flatten"),
    ([3], .layerNormalization(epsilon: -1), "ε ≥ 0, not -1.0"),
    ([3], .batchNormalization(momentum: 2), "a momentum in 0 … 1, not 2.0"),
  ]

  @Test func whatDoesNotFitIsRefused() throws {
    for (shape, layer, message) in Self.misfits {
      let error = #expect(throws: NetworkError.self) { try Network<Float>(input: shape, [layer]) }
      let text = error.map { "\($0)" } ?? ""
      #expect(text.contains(message) && text.contains("would get \(shape)"), "\(text)")
    }
  }

  /// Dropout is off in evaluation, and in training the same seed drops the same.
  @Test func dropoutIsOnInTrainingAlone() throws {
    let network = try Network<Double>(input: [3, 4], [.transformerBlock(width: 4, heads: 2, dropout: 0.5)])
    let plain = try Network<Double>(input: [3, 4], [.transformerBlock(width: 4, heads: 2)])
    let (x, values) = (random(2, 12), network.initialValues(seed: 1))
    #expect(network.predict(x, with: values) == plain.predict(x, with: values))
    let workspace = network.makeWorkspace()
    func trained(_ seed: UInt64) -> [Double] {
      workspace.forward(values, x, mode: .training(seed: seed))
      return workspace.outputs.array
    }
    #expect(trained(1) == trained(1) && trained(1) != trained(2))
  }

  /// Both forms of GELU are within 5e-4 of each other, and have the limits of x·Φ(x).
  @Test func theTanhFormIsCloseToGelu() throws {
    let x = Matrix<Float>(
      (0...400).map { Float($0 - 200) / 20 } + [-.infinity, .infinity, .nan, 1e30, -1e30], rows: 1,
      columns: 406)
    func map(_ layer: Layer) throws -> [Float] {
      try Network<Float>(input: [406], [layer]).predict(x, with: []).array
    }
    let (tanh, gelu) = (try map(.geluTanh), try map(.gelu))
    #expect(zip(tanh[..<401], gelu[..<401]).allSatisfy { abs($0 - $1) < 5e-4 })
    #expect(
      tanh[401] == 0 && tanh[402] == .infinity && tanh[403].isNaN && tanh[404] == 1e30 && tanh[405] == 0)
  }
}
