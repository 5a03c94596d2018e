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
    let network = workspace.network
    if let layer = network.layersWithoutSecondDerivatives.first {
      throw .failed(
        optimizer: "products of the Hessian", place: layer, reason: "the layer has no second derivatives")
    }
    var products = network.zeros()
    let v = network.parameters.map { direction[$0.name] ?? Matrix(rows: $0.rows, columns: $0.columns) }
    workspace.hessianProduct(values, along: v, into: &products)
    return Dictionary(uniqueKeysWithValues: zip(network.parameters.map(\.name), products))
  }

  func planningEnded() { values = [] }
}
