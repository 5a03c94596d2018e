import FisherLinearAlgebra
import FisherNetworks
import FisherTestSupport

/// A network for the tests: every layer at least once, odd sizes.
struct NetworkCase: Sendable, CustomStringConvertible {
  let name: String
  let input: SampleShape
  let layers: [Layer]
  var mode = PassMode.training(seed: 5)
  /// A batch norm over one element makes everything constant.
  var leastSamples = 1

  var description: String { name }

  static let all = plain + transformers

  private static let plain: [NetworkCase] = [
    NetworkCase(
      name: "linear", input: [7],
      layers: [.linear(9), .relu, .linear(5, bias: false), .leakyRelu(slope: 0.2), .relu, .linear(3)]),
    NetworkCase(name: "linear on positions", input: [3, 5], layers: [.linear(4), .tanh, .linear(3)]),
    NetworkCase(
      name: "convolution", input: [2, 7, 5],
      layers: [.convolution(3, size: 3), .relu, .convolution(4, size: 3, padding: 1), .flatten, .linear(3)]),
    NetworkCase(
      name: "convolution with stride, dilation and groups", input: [4, 9, 10],
      layers: [
        .convolution(6, size: 3, stride: 2, padding: 2, dilation: 2, groups: 2), .leakyRelu(slope: 0.1),
        .convolution(6, size: 2, stride: 3, padding: 1, groups: 3, bias: false), .flatten, .linear(3),
      ]),
    NetworkCase(
      name: "convolution with taps, strides and padding that differ", input: [2, 7, 9],
      layers: [
        .rectangularConvolution(
          4, size: Extent(height: 3, width: 2), stride: Extent(height: 1, width: 2),
          padding: Extent(height: 0, width: 3)), .relu,
        .rectangularConvolution(
          4, size: Extent(height: 1, width: 3), stride: Extent(height: 3, width: 1),
          padding: Extent(height: 1, width: 0), groups: 2, bias: false), .flatten, .linear(3),
      ]),
    NetworkCase(
      name: "pointwise convolution on large images", input: [2, 12, 11],
      layers: [.convolution(3, size: 1), .relu, .convolution(2, size: 1), .globalAveragePool, .linear(3)]),
    NetworkCase(
      name: "pooling", input: [2, 7, 8],
      layers: [
        .convolution(3, size: 3, padding: 1), .maxPool(3, stride: 2, padding: 1),
        .sequential([.averagePool(2, stride: 1, padding: 1)]),
        .flatten, .linear(3),
      ]),
    NetworkCase(
      name: "batch norm", input: [6],
      layers: [.linear(5), .batchNorm, .relu, .linear(3)], leastSamples: 3),
    NetworkCase(
      name: "batch norm of images", input: [2, 5, 3],
      layers: [.convolution(3, size: 3, padding: 1, bias: false), .batchNorm, .relu, .flatten, .linear(3)]),
    NetworkCase(
      name: "batch norm in evaluation", input: [2, 5, 3],
      layers: [.convolution(3, size: 3, padding: 1, bias: false), .batchNorm, .relu, .flatten, .linear(3)],
      mode: .evaluation),
    NetworkCase(
      name: "layer norm", input: [3, 11], layers: [.linear(10), .layerNorm, .gelu, .linear(3)]),
    NetworkCase(
      name: "activations", input: [6],
      layers: [.linear(9), .tanh, .linear(9), .sigmoid, .linear(9), .gelu, .linear(9), .silu, .linear(3)]),
    NetworkCase(name: "softmax inside", input: [6], layers: [.linear(5), .softmax, .linear(3)]),
    NetworkCase(name: "dropout", input: [6], layers: [.linear(20), .dropout(0.4), .linear(3)]),
    NetworkCase(
      name: "residual", input: [5],
      layers: [
        .linear(6), .residual([.linear(6), .relu, .linear(6)]), .relu,
        .residual([.linear(4), .tanh], shortcut: [.linear(4, bias: false)]), .residual([.sigmoid]),
        .linear(3),
      ]),
    NetworkCase(
      name: "residual convolution", input: [2, 6, 5],
      layers: [
        .convolution(3, size: 3, padding: 1), .batchNorm, .relu,
        .residual(
          [.convolution(4, size: 3, stride: 2, padding: 1, bias: false), .batchNorm],
          shortcut: [.convolution(4, size: 1, stride: 2)]), .relu, .globalAveragePool, .linear(3),
      ]),
  ]

  /// Layers of transformers, and norms with numbers of their own.
  static let transformers: [NetworkCase] = [
    NetworkCase(
      name: "attention", input: [5, 4],
      layers: [.linear(18), .attention(heads: 3, causal: false), .linear(3)]),
    NetworkCase(
      name: "causal attention with turned positions", input: [6, 5],
      layers: [.linear(24), .attention(heads: 2, causal: true, rotary: true), .linear(3)]),
    NetworkCase(
      name: "attention with turned positions, twice read", input: [4, 12],
      layers: [
        .linear(12), .residual([.attention(heads: 2, causal: false, rotary: true)], shortcut: [.linear(4)]),
        .linear(3),
      ]),
    NetworkCase(
      name: "dropout of attention", input: [5, 4],
      layers: [.linear(18), .attentionWithDropout(0.4, heads: 3, causal: false), .linear(3)]),
    NetworkCase(
      name: "dropout of causal attention with turned positions, twice read", input: [4, 12],
      layers: [
        .linear(12),
        .residual([.attentionWithDropout(0.3, heads: 2, rotary: true)], shortcut: [.linear(4)]), .linear(3),
      ]),
    NetworkCase(
      name: "attention over one position", input: [1, 6],
      layers: [.linear(6), .attention(heads: 1), .linear(3)]),
    NetworkCase(
      name: "transformer block", input: [4, 6],
      layers: [.positionEmbedding, .transformerBlock(width: 6, heads: 2), .layerNorm, .linear(3)]),
    NetworkCase(
      name: "transformer block with other parts", input: [3, 4],
      layers: [
        .linear(8),
        .transformerBlock(
          width: 8, heads: 2, hidden: 10, causal: false, rotary: true, norm: .rmsNorm(), activation: .geluTanh
        ),
        .positionEmbedding, .linear(3),
      ]),
    NetworkCase(
      name: "features of a circle and a stencil", input: [3],
      layers: [
        .linear(2), .fourierFeatures(2), .linear(3), .tanh, .stencil([0.5, -2]), .linear(3),
      ]),
    NetworkCase(
      name: "norms", input: [3, 9],
      layers: [
        .linear(8), .rmsNorm(epsilon: 0.1), .tanh, .layerNormalization(epsilon: 0.3), .geluTanh, .flatten,
        .linear(7),
        .batchNormalization(epsilon: 0.2, momentum: 0.3), .tanh, .linear(3),
      ], leastSamples: 3),
  ]

  func network<S: KernelScalar>(_: S.Type) throws -> Network<S> { try Network(input: input, layers) }
}

/// The same network, batch and weights for every element type: the numbers are exact in `Float`.
struct Problem {
  let inputs: [Double]
  let classes: [Int]
  let values: [[Double]]
  let samples: Int

  init(_ subject: NetworkCase, samples: Int, seed: UInt64) throws {
    let network = try subject.network(Double.self)
    var generator = Generator(seed: seed)
    func random() -> Double { Double(generator.uniform() as Float) }
    self.samples = samples
    inputs = (0..<samples * network.input.count).map { _ in random() }
    // Norms and biases start as constants, which would hide what they do.
    values = network.initialValues(seed: seed).map { $0.array.map { Double(Float($0 + 0.2 * random())) } }
    let (rows, count) = (samples * network.output.positions, network.output.features)
    classes = (0..<rows).map { _ in Int.random(in: 0..<count, using: &generator) }
  }

  func inputs<S: KernelScalar>(_: S.Type) -> Matrix<S> {
    Matrix(inputs.map { S($0) }, rows: samples, columns: inputs.count / samples)
  }

  func values<S: KernelScalar>(_ network: Network<S>) -> [Matrix<S>] {
    zip(network.parameters, values).map { Matrix($1.map { S($0) }, rows: $0.rows, columns: $0.columns) }
  }
}
