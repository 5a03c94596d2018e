public import FisherCurvature
public import FisherLinearAlgebra

/// Which labels the statistics of a method come from.
public enum FisherLabels: String, SettingChoice {
  /// Drawn from the model, in a second backward pass: an unbiased estimate of the Fisher matrix.
  case sampled
  /// Those of the data: the empirical Fisher matrix, without a second pass.
  case empirical
}

extension FisherLabels {
  /// What a step that updates statistics needs beside gradients.
  public var needs: Needs { self == .sampled ? [.inputs, .sampledLabels] : .captures }

  /// The captures of this batch with these labels, by layer.
  ///
  /// - Throws: ``StepRefusal`` if the run does not provide them.
  public func captures<S: KernelScalar>(
    in step: borrowing Step<S>, for optimizer: String
  ) throws(StepRefusal) -> [String: LayerCapture<S>] {
    if self == .sampled { return try step.objective.sampledCaptures().layers }
    return try step.objective.captures(for: optimizer).layers
  }

  /// The same, for sums over samples: of this rank's shards alone.
  ///
  /// - Throws: ``StepRefusal`` if the run does not provide them.
  public func shardedCaptures<S: KernelScalar>(
    in step: borrowing Step<S>, for optimizer: String
  ) throws(StepRefusal) -> ShardedCaptures<S> {
    if self == .sampled { return try step.objective.sampledShardedCaptures() }
    guard let captures = step.objective.shardedCaptures else {
      throw .unavailable(optimizer: optimizer, what: Needs.captures.description)
    }
    return captures
  }
}
