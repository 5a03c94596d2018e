/// The layers of a named model, from its text: `mlp:64-128-64-10`.
public struct ModelSpec: Sendable, Hashable, CustomStringConvertible {
  public let text: String
  private let widths: [Int]

  /// - Throws: ``NetworkError/model(text:reason:)``.
  public init(_ text: String) throws(NetworkError) {
    self.text = text
    let parts = text.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
    guard parts[0] == "mlp" else { throw .model(text: text, reason: "known models are mlp:64-128-10") }
    let fields = parts.count == 2 ? parts[1].split(separator: "-", omittingEmptySubsequences: false) : []
    widths = fields.compactMap { Int($0) }.filter { $0 > 0 }
    if widths.count != fields.count || widths.count < 2 {
      throw .model(text: text, reason: "widths are at least two positive numbers: mlp:64-128-10")
    }
  }

  public var description: String { text }

  /// The layers for samples of `input` and `outputs` numbers at the end.
  ///
  /// - Throws: ``NetworkError/model(text:reason:)`` if the text says other sizes.
  public func layers(input: SampleShape, outputs: Int) throws(NetworkError) -> [Layer] {
    if widths[0] != input.count || widths[widths.count - 1] != outputs {
      throw .model(text: text, reason: "the data have \(input.count) inputs and \(outputs) outputs")
    }
    let hidden = widths.dropFirst().dropLast().flatMap { [Layer.linear($0), .relu] }
    return (input.isImage ? [.flatten] : []) + hidden + [.linear(outputs)]
  }
}
