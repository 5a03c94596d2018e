import FisherRuntime

/// Why a step was not taken. Parameters and state are as they were before it.
public enum StepRefusal: Error, Equatable, CustomStringConvertible {
  /// The loss is NaN or infinite; with the first layer whose outputs are not all finite, if that is known.
  case nonFiniteLoss(Double, layer: String? = nil)
  /// An element of a gradient is NaN or infinite.
  case nonFiniteGradient(parameter: String, layer: String?, index: Int)
  /// An element of a parameter would become NaN or infinite.
  case nonFiniteValue(optimizer: String, parameter: String, layer: String?, index: Int)
  /// A new piece of state would hold NaN or infinity.
  case nonFiniteState(optimizer: String, slot: SlotKey)
  /// The optimizer needs something that this objective cannot give.
  case unavailable(optimizer: String, what: String)
  /// The optimizer could not go on: a factorization failed, say.
  case failed(optimizer: String, place: String, reason: String)
  /// Something outside of the step ended it: another process that took part, say.
  case interrupted(reason: String)

  public var description: String {
    switch self {
    case .nonFiniteLoss(let loss, let layer):
      let place = layer.map { "layer \($0): " } ?? ""
      return "\(place)the loss is \(shortest(loss)); no step was taken"
    case .nonFiniteGradient(let parameter, let layer, let index):
      let place = layer.map { "layer \($0): " } ?? ""
      return "\(place)the gradient of \(parameter) is not finite at element \(index); no step was taken"
    case .nonFiniteValue(let optimizer, let parameter, let layer, let index):
      let place = layer.map { "layer \($0): " } ?? ""
      return "\(optimizer): \(place)\(parameter) would not be finite at element \(index); no step was taken"
    case .nonFiniteState(let optimizer, let slot):
      return "\(optimizer): \(slot.slot) of \(slot.owner) would not be finite; no step was taken"
    case .unavailable(let optimizer, let what):
      return "\(optimizer) needs \(what), which this run does not provide"
    case .failed(let optimizer, let place, let reason):
      return "\(optimizer): \(place): \(reason); no step was taken"
    case .interrupted(let reason):
      return reason
    }
  }
}
