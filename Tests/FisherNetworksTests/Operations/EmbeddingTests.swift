import FisherCurvature
import FisherLinearAlgebra
import FisherNetworks
import FisherRuntime
import FisherTestSupport
import Testing

private let layers: [Layer] = [
  .embedding(tokens: 7, width: 5), .layerNorm, .linear(4), .gelu, .flatten, .linear(3),
]

@Test(arguments: [1, 2, 40]) func embeddingGradientsMatchDifferences(samples: Int) throws {
  var generator = Generator(seed: Seed.first)
  let network = try Network<Double>(input: [6], layers)
  let tokens = Matrix<Double>(rows: samples, columns: 6) { _, _ in generator.integer(in: 0...6) }
  let classes = (0..<samples).map { $0 % 3 }
  let values = network.initialValues(seed: 1)
  let check = GradientCheck(network, values, tokens, .classes(classes), seed: Seed.first)
  #expect(check.violations().isEmpty, "\(check.violations())")

  let workspace = network.makeWorkspace()
  var gradients = network.zeros()
  workspace.forward(values, tokens, .classes(classes), mode: .training(seed: 1))
  var naive = NaiveNetwork(values: values.map(\.array), mode: .training(seed: 1))
  let rows = (0..<samples).map { tokens.row($0).array }
  let expected = naive.run(layers, .init(samples: rows, shape: [6])).samples.flatMap(\.self)
  #expect(error(workspace.outputs.array, expected) < 1e-13)

  workspace.backward(values, into: &gradients, [.gradients, .captures])
  let capture = try #require(workspace.captures?.layers["layers.0"])
  #expect(capture.kind == .embedding(tokens: 7) && capture.positions == 6)
  #expect(capture.inputs.rows == 6 * samples && capture.outputGradients.values.columns == 5)
}
