import FisherLinearAlgebra
import FisherNetworks
import Testing

@Test func modelsHaveTheirLayers() throws {
  #expect(
    try ModelSpec("mlp:64-32-10").layers(input: [64], outputs: 10) == [.linear(32), .relu, .linear(10)])
  #expect(
    try ModelSpec("autoencoder:8-5-2-5-8").layers(input: [1, 2, 4], outputs: 8) == [
      .flatten, .linear(5), .relu, .linear(2), .linear(5), .relu, .linear(8),
    ])
  for (text, shapes) in [
    ("cnn-small", [1, 8, 8]), ("resnet-small", [3, 32, 32]), ("resnet-small", [1, 9, 13]),
  ] {
    let shape = SampleShape(shapes)
    let network = try Network<Float>(input: shape, ModelSpec(text).layers(input: shape, outputs: 10))
    #expect(network.output == [10])
  }
}

@Test(arguments: [
  "mlp", "mlp:", "mlp:64", "mlp:64-x-10", "mlp:64--10", "mlp:-3-4", "cnn", "cnn-small:3", "autoencoder:3-3",
  "",
])
func modelsThatAreNotOnes(text: String) {
  #expect(throws: NetworkError.self) { try ModelSpec(text) }
}

@Test func modelsThatDoNotFitTheData() throws {
  #expect(throws: NetworkError.self) { try ModelSpec("mlp:64-10").layers(input: [63], outputs: 10) }
  #expect(throws: NetworkError.self) { try ModelSpec("mlp:64-9").layers(input: [64], outputs: 10) }
  #expect(throws: NetworkError.self) { try ModelSpec("cnn-small").layers(input: [64], outputs: 10) }
}

/// The moments of the first weights are those of the initialisation, within five deviations.
@Test(arguments: Initialization.allCases) func weightsBeginAsPublished(initialization: Initialization) throws
{
  let network = try Network<Double>(input: [300], [.linear(200)])
  let values = network.initialValues(seed: 1, initialization)
  let (w, n) = (values[0].array, 60_000.0)
  let variance =
    switch initialization {
    case .pytorch: 1.0 / 300 / 3
    case .kaiming: 2.0 / 300
    case .xavier: 6.0 / 500 / 3
    }
  let mean = w.reduce(0, +) / n
  #expect(abs(mean) < 5 * (variance / n).squareRoot())
  #expect(abs(w.reduce(0) { $0 + $1 * $1 } / n / variance - 1) < 5 * (2 / n).squareRoot())
  #expect((values[1].array.allSatisfy { $0 == 0 }) == (initialization != .pytorch))
  #expect(network.initialValues(seed: 1, initialization) == values)
  #expect(network.initialValues(seed: 2, initialization) != values)
}
