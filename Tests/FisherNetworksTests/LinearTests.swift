import FisherLinearAlgebra
import FisherNetworks
import FisherTestSupport
import Testing

@Test(arguments: [1, 2, 13], [0, 0.1])
func perceptronGradientsMatchDifferences(samples: Int, smoothing: Double) throws {
  for seed in Seed.cases(2) {
    let network = try Network<Double>(
      input: [7], [.linear(9), .relu, .linear(5, bias: false), .leakyRelu(slope: 0.2), .relu, .linear(3)],
      loss: Loss<MeanReduction>.softmaxCrossEntropy(labelSmoothing: smoothing))
    let violations = GradientCheck(network, samples: samples, seed: seed).violations()
    #expect(violations.isEmpty, "\(violations)")
  }
}

@Test func parametersHaveNamesRolesAndLayers() throws {
  let network = try Network<Float>(input: [7], [.linear(9), .relu, .linear(3)])
  #expect(
    network.parameters.map(\.summary) == [
      "layers.0.weight 9×7", "layers.0.bias 9", "layers.2.weight 3×9", "layers.2.bias 3",
    ])
  #expect(network.parameters.map(\.layer) == ["layers.0", "layers.0", "layers.2", "layers.2"])
}
