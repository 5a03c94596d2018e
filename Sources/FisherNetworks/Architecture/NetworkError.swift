import FisherRuntime

/// A network that cannot be built.
public enum NetworkError: Error, Equatable, CustomStringConvertible {
  /// A layer cannot take what comes to it.
  case shape(layer: String, wanted: String, got: SampleShape)
  /// A model's text says something that is not understood.
  case model(text: String, reason: String)
  /// The weights alone do not fit into this machine's memory.
  case memory(layer: String, shortage: String)

  public var description: String {
    switch self {
    case .shape(let layer, let wanted, let got): "\(layer) needs \(wanted) and would get \(got)"
    case .model(let text, let reason): "model \(quoted(text)): \(reason)"
    case .memory(let layer, let shortage): "the network up to \(layer) \(shortage)"
    }
  }
}
