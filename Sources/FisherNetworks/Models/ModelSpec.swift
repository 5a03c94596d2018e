import FisherRuntime

/// The layers of a named model, from its text.
///
///     mlp:64-128-64-10            linear layers with ReLU between them
///     autoencoder:784-100-30-100-784   the same, with no activation at the narrowest layer; the output is the input
///     cnn-small                   three convolutions with batch norm and max pooling
///     resnet-small                three residual blocks of 16, 32 and 64 channels
///     gpt:64-2-4                  a decoder of width 64 with 2 blocks of 4 heads: learned positions, layer norm, GELU
///     gpt-rotary:64-2-4           the same with turned positions and RMS norm
///     gpt-tied:64-2-4             gpt with one table for the embedding and the last layer, as GPT-2 has it
///     pinn:32-32                  tanh layers on a circle, and −u″/64 + u of what they say, from three neighbouring points
public struct ModelSpec: Sendable, Hashable, CustomStringConvertible {
  enum Kind: Sendable, Hashable {
    case perceptron([Int])
    case autoencoder([Int])
    case convolutional
    case residual
    case decoder(width: Int, blocks: Int, heads: Int, Flavour)
    case physicsInformed([Int])
  }

  /// What decoders differ in.
  enum Flavour: String { case plain = "gpt", rotary = "gpt-rotary", tied = "gpt-tied" }

  public let text: String
  let kind: Kind

  /// The spellings, for messages and help.
  public static let forms = [
    "mlp:64-128-10", "autoencoder:784-100-30-100-784", "cnn-small", "resnet-small", "gpt:64-2-4",
    "gpt-rotary:64-2-4", "gpt-tied:64-2-4", "pinn:32-32",
  ]

  /// - Throws: ``NetworkError/model(text:reason:)``.
  public init(_ text: String) throws(NetworkError) {
    self.text = text
    let parts = text.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
    switch (parts[0], parts.count) {
    case ("mlp", 2): kind = .perceptron(try Self.widths(parts[1], least: 2, text))
    case ("autoencoder", 2): kind = .autoencoder(try Self.widths(parts[1], least: 3, text))
    case ("cnn-small", 1): kind = .convolutional
    case ("resnet-small", 1): kind = .residual
    case ("gpt", 2), ("gpt-rotary", 2), ("gpt-tied", 2):
      kind = try Self.decoder(parts[1], Flavour(rawValue: parts[0]) ?? .plain, text)
    case ("pinn", 2): kind = .physicsInformed(try Self.widths(parts[1], least: 1, text))
    default:
      throw .model(text: text, reason: "a model is one of " + Self.forms.joined(separator: ", "))
    }
  }

  /// The most layers of a text, and one.
  private static let mostWidths = 1000

  private static func widths(_ field: String, least: Int, _ text: String) throws(NetworkError) -> [Int] {
    var widths: [Int] = []
    for part in field.split(separator: "-", omittingEmptySubsequences: false) {
      do { widths.append(try NumberText.integer(part)) } catch {
        throw .model(text: text, reason: "the width \(error)")
      }
    }
    if widths.count < least || widths.count > mostWidths {
      throw .model(text: text, reason: "\(widths.count) widths; there are \(least) to \(mostWidths)")
    }
    return widths
  }

  private static func decoder(_ field: String, _ flavour: Flavour, _ text: String) throws(NetworkError)
    -> Kind
  {
    let numbers = try widths(field, least: 3, text)
    guard numbers.count == 3, numbers[1] <= mostWidths else {
      throw .model(
        text: text, reason: "it needs a width, at most \(mostWidths) blocks, and the heads of each")
    }
    let (width, heads) = (numbers[0], numbers[2])
    let rotary = flavour == .rotary
    guard width % heads == 0, !rotary || width / heads % 2 == 0 else {
      throw .model(
        text: text,
        reason: "\(heads) heads do not divide \(width)" + (rotary ? " into even numbers of features" : ""))
    }
    return .decoder(width: width, blocks: numbers[1], heads: heads, flavour)
  }

  public var description: String { text }

  /// The output is to be the input.
  public var isAutoencoder: Bool {
    if case .autoencoder = kind { return true }
    return false
  }

  /// The layers of a network for samples of a shape.
  ///
  /// - Parameters:
  ///   - input: the shape of a sample.
  ///   - outputs: the length of the network's output.
  ///   - vocabulary: the samples are sequences of tokens below it; nil if they are numbers.
  /// - Throws: ``NetworkError/model(text:reason:)`` if the text says other sizes or the samples are not what the model takes.
  public func layers(
    input: SampleShape, outputs: Int, vocabulary: Int? = nil
  ) throws(NetworkError) -> [Layer] {
    switch kind {
    case .perceptron(let widths), .autoencoder(let widths):
      if widths[0] != input.count || widths[widths.count - 1] != outputs {
        throw .model(text: text, reason: "the data have \(input.count) inputs and \(outputs) outputs")
      }
      let narrowest = isAutoencoder ? widths.min() : nil
      return (input.axes.count > 1 ? [.flatten] : []) + Self.chain(widths, linearAt: narrowest)
    case .convolutional, .residual:
      if !input.isImage || min(input.axes[1], input.axes[2]) < 8 {
        throw .model(text: text, reason: "it needs images of at least 8×8, the data are \(input)")
      }
      return kind == .convolutional ? Self.convolutional(outputs) : Self.residual(outputs)
    case .decoder(let width, let blocks, let heads, let flavour):
      guard let vocabulary, input.axes.count == 1, outputs % input.count == 0 else {
        throw .model(text: text, reason: "it needs sequences of tokens with an answer at each position")
      }
      if flavour == .tied && outputs / input.count != vocabulary {
        throw .model(text: text, reason: "\(vocabulary) tokens cannot be \(outputs / input.count) classes")
      }
      return Self.decoder(
        width, blocks, heads, flavour, tokens: vocabulary, classes: outputs / input.count)
    case .physicsInformed(let widths):
      if input.axes != [3] || outputs != 1 {
        throw .model(
          text: text, reason: "it needs three neighbouring points and one number, as in screened-poisson")
      }
      let second = 1024.0 * 1024 / 64
      return [.fourierFeatures(1)] + widths.flatMap { [.linear($0), .tanh] }
        + [.linear(1), .stencil([-second, 2 * second + 1, -second])]
    }
  }

  /// A decoder with the norm before; the last norm and layer make the answers at all positions.
  private static func decoder(
    _ width: Int, _ blocks: Int, _ heads: Int, _ flavour: Flavour, tokens: Int, classes: Int
  ) -> [Layer] {
    let rotary = flavour == .rotary
    let norm: Layer = rotary ? .rmsNorm() : .layerNorm
    let block = Layer.transformerBlock(width: width, heads: heads, rotary: rotary, norm: norm)
    return [.embedding(tokens: tokens, width: width)] + (rotary ? [] : [.positionEmbedding])
      + [Layer](repeating: block, count: blocks) + [
        norm, flavour == .tied ? .unembedding : .linear(classes, bias: false),
      ]
  }

  /// Linear layers with ReLU between them, but none behind a layer of the width `linearAt` and behind the last.
  private static func chain(_ widths: [Int], linearAt width: Int?) -> [Layer] {
    widths.indices.dropFirst().flatMap { i -> [Layer] in
      let isPlain = i == widths.count - 1 || widths[i] == width
      return isPlain ? [.linear(widths[i])] : [.linear(widths[i]), .relu]
    }
  }

  private static func convolutional(_ outputs: Int) -> [Layer] {
    let block = { (channels: Int) -> [Layer] in
      [.convolution(channels, size: 3, padding: 1, bias: false), .batchNorm, .relu]
    }
    return block(16) + block(32) + [.maxPool(2)] + block(64) + [.maxPool(2), .flatten, .linear(outputs)]
  }

  private static func residual(_ outputs: Int) -> [Layer] {
    let block = { (channels: Int, stride: Int) -> Layer in
      let body: [Layer] = [
        .convolution(channels, size: 3, stride: stride, padding: 1, bias: false), .batchNorm, .relu,
        .convolution(channels, size: 3, padding: 1, bias: false), .batchNorm,
      ]
      let shortcut: [Layer] =
        stride == 1 ? [] : [.convolution(channels, size: 1, stride: stride, bias: false), .batchNorm]
      return .residual(body, shortcut: shortcut)
    }
    return [
      .convolution(16, size: 3, padding: 1, bias: false), .batchNorm, .relu, block(16, 1), .relu,
      block(32, 2), .relu,
      block(64, 2), .relu, .globalAveragePool, .linear(outputs),
    ]
  }
}
