import FisherCurvature
import FisherLinearAlgebra
import FisherNetworks
import FisherRuntime
import FisherTestSupport
import Testing

/// One table for the embedding and the last layer.
@Suite struct TiedTests {
  private let layers: [Layer] = [
    .embedding(tokens: 5, width: 4), .positionEmbedding, .selfAttention(width: 4, heads: 2), .tanh,
    .unembedding,
  ]

  private func make(
    samples: Int, threads: Int = 1
  ) throws -> (workspace: Workspace<Double>, values: [Matrix<Double>], tokens: Matrix<Double>, classes: [Int])
  {
    var generator = Generator(seed: Seed.first)
    let network = try Network<Double>(input: [3], layers)
    let tokens = Matrix<Double>(rows: samples, columns: 3) { _, _ in generator.integer(in: 0...4) }
    let classes = (0..<3 * samples).map { $0 % 7 == 3 ? -1 : $0 % 5 }
    let values = network.parameters.map { info in
      Matrix<Double>(rows: info.rows, columns: info.columns) { _, _ in generator.uniform() }
    }
    return (network.makeWorkspace(threads: threads), values, tokens, classes)
  }

  @Test func theTableIsOneParameter() throws {
    let network = try Network<Float>(input: [3], layers)
    let tables = network.parameters.filter { $0.shape == [5, 4] }
    #expect(tables.map(\.name) == ["layers.0.weight"] && tables.map(\.role) == [.linearWeight])
    #expect(network.output == [3, 5])
    let shape: SampleShape = [3]
    for wrong in [
      [Layer.linear(4), .unembedding], [.embedding(tokens: 5, width: 4), .linear(3), .unembedding],
      [.embedding(tokens: 5, width: 4), .unembedding, .linear(4), .unembedding],
    ] { #expect(throws: NetworkError.self) { try Network<Float>(input: shape, wrong) } }
  }

  @Test(arguments: [1, 4]) func gradientsMatchDifferences(samples: Int) throws {
    let (workspace, values, tokens, classes) = try make(samples: samples)
    let check = GradientCheck(workspace.network, values, tokens, .classes(classes), seed: Seed.first)
    #expect(check.violations().isEmpty, "\(check.violations())")
    // Tangents along one element of the table, by differences of the outputs.
    var direction = workspace.network.zeros()
    direction[0][2, 1] = 1
    workspace.forward(values, tokens, mode: .evaluation)
    let tangent = workspace.outputTangent(values, along: direction)
    func moved(_ h: Double) -> Matrix<Double> {
      var values = values
      values[0][2, 1] += h
      return workspace.network.predict(tokens, with: values)
    }
    let (above, below) = (moved(1e-5).array, moved(-1e-5).array)
    let expected = zip(above, below).map { ($0 - $1) / 2e-5 }
    #expect(error(tangent.array, expected) < 1e-8)
  }

  /// One capture makes the gradient of every sample: its sum, and the products of two samples with cross terms of both uses.
  @Test func oneCaptureMakesTheGradientsOfSamples() throws {
    let (workspace, values, tokens, classes) = try make(samples: 4)
    var gradients = workspace.network.zeros()
    workspace.forward(values, tokens, .classes(classes), mode: .training(seed: 1))
    workspace.backward(values, into: &gradients, [.gradients, .captures])
    let terms = Double(workspace.termCount)
    let captures = try #require(workspace.captures)
    let capture = try #require(captures.layers["layers.0"])
    #expect(
      captures.layers["layers.4"] == nil && capture.kind == .linear(hasBias: false) && capture.positions == 6)
    let sum = try #require(capture.gradients(weighting: [1, 1, 1, 1]).weight)
    #expect(error(sum.array, gradients[0].array.map { $0 * terms }) < 1e-13)

    let single = (0..<4).map { n -> [Double] in
      var gradients = workspace.network.zeros()
      let other = workspace.network.makeWorkspace(threads: 1)
      let classes = Array(classes[3 * n..<3 * n + 3])
      other.forward(
        values, tokens[rows: n..<n + 1, columns: 0...], .classes(classes), mode: .training(seed: 1))
      other.backward(values, into: &gradients)
      return gradients[0].array.map { $0 * Double(other.termCount) }
    }
    let gram = try captures.gram(of: ["layers.0": .weight])
    for i in 0..<4 {
      for j in 0..<4 {
        let expected = zip(single[i], single[j]).reduce(0) { $0 + $1.0 * $1.1 }
        #expect(abs(gram[i, j] - expected) < 1e-12 * max(1, abs(expected)), "samples \(i) and \(j)")
      }
    }
  }

  @Test func bitsDoNotDependOnThreads() throws {
    func gradients(_ threads: Int) throws -> [[Double]] {
      let (workspace, values, tokens, classes) = try make(samples: 150, threads: threads)
      var gradients = workspace.network.zeros()
      workspace.forward(values, tokens, .classes(classes), mode: .training(seed: 1))
      workspace.backward(values, into: &gradients)
      return gradients.map(\.array)
    }
    let one = try gradients(1)
    for threads in [2, 7] { #expect(try gradients(threads) == one) }
  }
}
