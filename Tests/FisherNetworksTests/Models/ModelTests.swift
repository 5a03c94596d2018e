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

@Test func decodersAndPhysicsInformedNetworksHaveTheirLayers() throws {
  for text in ["gpt:16-2-4", "gpt-rotary:16-2-4"] {
    let layers = try ModelSpec(text).layers(input: [5], outputs: 35, vocabulary: 9)
    let network = try Network<Float>(input: [5], layers)
    #expect(network.output == [5, 7])
    // Table, two norms and 12·width² + 13·width of weights a block, head.
    let block = 12 * 256 + 13 * 16 - (text == "gpt:16-2-4" ? 0 : 2 * 16)
    let norms = text == "gpt:16-2-4" ? 5 * 16 + 2 * 16 : 16
    #expect(network.parameterCount == 9 * 16 + 2 * block + norms + 7 * 16, "\(text)")
    #expect(throws: NetworkError.self) { try ModelSpec(text).layers(input: [5], outputs: 35) }
    #expect(throws: NetworkError.self) { try ModelSpec(text).layers(input: [5], outputs: 7, vocabulary: 9) }
  }
  let tied = try Network<Float>(
    input: [5], try ModelSpec("gpt-tied:16-2-4").layers(input: [5], outputs: 45, vocabulary: 9))
  let plain = try Network<Float>(
    input: [5], try ModelSpec("gpt:16-2-4").layers(input: [5], outputs: 45, vocabulary: 9))
  #expect(tied.parameterCount == plain.parameterCount - 9 * 16 && tied.output == plain.output)
  let network = try Network<Double>(input: [3], try ModelSpec("pinn:8").layers(input: [3], outputs: 1))
  #expect(network.output == [1])
  #expect(throws: NetworkError.self) { try ModelSpec("pinn:8").layers(input: [4], outputs: 1) }
}

@Test(arguments: [
  "gpt", "gpt:16-2", "gpt:16-2-3", "gpt:16-2-4-5", "gpt-rotary:12-2-4", "gpt:16-2000-4", "pinn:", "mlp",
  "mlp:", "mlp:64", "mlp:64-x-10", "mlp:64--10", "mlp:-3-4", "cnn", "cnn-small:3", "autoencoder:3-3",
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
