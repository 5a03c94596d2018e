import FisherKit

/// The batch in a workspace, as a trainer lets an optimizer ask it again.
final class StepObjective<S: KernelScalar>: Objective {
  let loss: Double
  let sampleCount: Int
  let captures: Captures<S, Empirical>?
  let outputGradients: OutputGradients<S>?
  private let sampled: Captures<S, Sampled>?
  private let workspace: Workspace<S>
  private var values: [Matrix<S>]

  init(
    _ workspace: Workspace<S>, _ values: [Matrix<S>], captures: Captures<S, Empirical>?,
    sampled: Captures<S, Sampled>?, outputGradients: OutputGradients<S>?
  ) {
    loss = workspace.loss
    sampleCount = workspace.termCount
    self.captures = captures
    self.sampled = sampled
    self.outputGradients = outputGradients
    self.workspace = workspace
    self.values = values
  }

  func sampledCaptures() throws(StepRefusal) -> Captures<S, Sampled> {
    if let sampled { return sampled }
    throw .unavailable(optimizer: "the optimizer", what: Needs.sampledLabels.description)
  }

  func captures(at changed: [String: Matrix<S>]) throws(StepRefusal) -> Captures<S, Empirical> {
    workspace.captures(at: zip(workspace.network.parameters, values).map { changed[$0.name] ?? $1 })
  }

  func hessianProduct(along direction: [String: Matrix<S>]) throws(StepRefusal) -> [String: Matrix<S>] {
    try workspace.hessianProduct(values, along: direction)
  }

  func planningEnded() { values = [] }
}
