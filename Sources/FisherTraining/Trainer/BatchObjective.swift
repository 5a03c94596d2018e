import FisherCurvature
import FisherLinearAlgebra
import FisherNetworks
import FisherOptimizers

/// The batch in the workspace, as an optimizer may ask it again.
final class BatchObjective<Scalar: KernelScalar>: Objective {
  let loss: Double
  let sampleCount: Int
  let captures: Captures<Scalar, Empirical>?
  /// The batch is in the workspace as a whole, not in micro-batches.
  private let isWhole: Bool
  private let workspace: Workspace<Scalar>
  private let seed: UInt64
  private var values: [Matrix<Scalar>]

  init(
    loss: Double, sampleCount: Int, captures: Captures<Scalar, Empirical>?, isWhole: Bool,
    workspace: Workspace<Scalar>, values: [Matrix<Scalar>], seed: UInt64
  ) {
    self.loss = loss
    self.sampleCount = sampleCount
    self.captures = captures
    self.isWhole = isWhole
    self.workspace = workspace
    self.values = values
    self.seed = seed
  }

  func sampledCaptures() throws(StepRefusal) -> Captures<Scalar, Sampled> {
    try requireWhole(.sampledLabels)
    return workspace.sampledCaptures(values, seed: seed)
  }

  func loss(at values: [Matrix<Scalar>]) throws(StepRefusal) -> Double {
    try requireWhole(.evaluation)
    return workspace.loss(at: values)
  }

  func planningEnded() { values = [] }

  private func requireWhole(_ needs: Needs) throws(StepRefusal) {
    if !isWhole {
      throw .unavailable(
        optimizer: "the optimizer", what: "\(needs), of a batch that is not cut into micro-batches")
    }
  }
}
