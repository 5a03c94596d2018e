import FisherLinearAlgebra

extension Outcome.Problem {
  /// What the caller is told of an outcome that cannot be.
  ///
  /// - Parameter optimizer: who updates a parameter.
  func refusal(of optimizer: (ParameterInfo) -> String) -> StepRefusal {
    switch self {
    case .direction(let parameter, let index):
      return .failed(
        optimizer: optimizer(parameter), place: parameter.name,
        reason: "the direction is not finite at element \(index)")
    case .update(let parameter, let reason):
      return .failed(optimizer: optimizer(parameter), place: parameter.name, reason: reason)
    case .value(let parameter, let index):
      return .nonFiniteValue(
        optimizer: optimizer(parameter), parameter: parameter.name, layer: parameter.layer, index: index)
    case .slot(let key, let parameter):
      return .nonFiniteState(optimizer: optimizer(parameter), slot: key)
    case .average(let parameter):
      return .nonFiniteState(optimizer: "the run", slot: SlotKey(parameter.name, "running average"))
    case .shape(let key, let parameter, let rows, let columns):
      return .failed(
        optimizer: optimizer(parameter), place: key.description,
        reason: "the state of \(rows)×\(columns) does not fit \(parameter.summary)")
    }
  }
}
