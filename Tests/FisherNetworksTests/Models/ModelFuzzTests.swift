import FisherNetworks
import FisherTestSupport
import Testing

/// Whatever the text: an error, or a network for the data with which it was asked for.
@Test func modelsSurviveAnyText() {
  let texts = [
    "mlp:64-128-10", "mlp:64-10", "autoencoder:64-100-30-100-64", "autoencoder:64-2-64", "cnn-small",
    "resnet-small",
  ]
  let accepted = fuzz("models", texts.map { Array($0.utf8) }) { bytes in
    let spec = try ModelSpec(String(decoding: bytes, as: UTF8.self))
    let outputs = spec.isAutoencoder ? 64 : 10
    let network = try Network<Float>(input: [1, 8, 8], spec.layers(input: [1, 8, 8], outputs: outputs))
    precondition(network.output == [outputs] && network.parameterCount > 0)
  }
  #expect(accepted > 1000)
}
