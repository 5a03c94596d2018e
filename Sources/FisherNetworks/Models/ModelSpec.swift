import FisherRuntime

/// The layers of a named model, from its text.
///
///     mlp:64-128-64-10            linear layers with ReLU between them
///     autoencoder:784-100-30-100-784   the same, with no activation at the narrowest layer; the output is the input
///     cnn-small                   three convolutions with batch norm and max pooling
///     resnet-small                three residual blocks of 16, 32 and 64 channels
public struct ModelSpec: Sendable, Hashable, CustomStringConvertible {
  enum Kind: Sendable, Hashable {
    case perceptron([Int])
    case autoencoder([Int])
    case convolutional
    case residual
  }

  public let text: String
  let kind: Kind

  /// The spellings, for messages and help.
  public static let forms = ["mlp:64-128-10", "autoencoder:784-100-30-100-784", "cnn-small", "resnet-small"]

  /// - Throws: ``NetworkError/model(text:reason:)``.
  public init(_ text: String) throws(NetworkError) {
    self.text = text
    let parts = text.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
    switch (parts[0], parts.count) {
    case ("mlp", 2): kind = .perceptron(try Self.widths(parts[1], least: 2, text))
    case ("autoencoder", 2): kind = .autoencoder(try Self.widths(parts[1], least: 3, text))
    case ("cnn-small", 1): kind = .convolutional
    case ("resnet-small", 1): kind = .residual
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

  public var description: String { text }

  /// The output is to be the input.
  public var isAutoencoder: Bool {
    if case .autoencoder = kind { return true }
    return false
  }

  /// The layers for samples of the shape `input`, with `outputs` numbers at the end.
  ///
  /// - Throws: ``NetworkError/model(text:reason:)`` if the text says other sizes or the samples are no images.
  public func layers(input: SampleShape, outputs: Int) throws(NetworkError) -> [Layer] {
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
    }
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
