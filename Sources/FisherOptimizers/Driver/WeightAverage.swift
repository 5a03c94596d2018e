import FisherLinearAlgebra

// average ← d·average + (1 − d)·θ, written so that a weight that does not move is its own average, bit for bit.

extension OptimizerDriver {
  /// The averages start from the weights before the first step.
  func startAverages(_ values: [Matrix<Scalar>], _ changes: inout StagedChanges<Scalar>) {
    for (parameter, value) in zip(parameters, values) {
      let key = SlotKey(parameter.name, Self.averageSlot)
      if state.tensors[key] == nil { changes.tensors[key] = value }
    }
  }

  @specialized(where Scalar == Float) @specialized(where Scalar == Double)
  mutating func updateAverages(_ values: [Matrix<Scalar>], _ d: Double) {
    let rest = Scalar(1 - d)
    for (parameter, value) in zip(parameters, values) {
      let key = SlotKey(parameter.name, Self.averageSlot)
      guard var average = state.tensors.removeValue(forKey: key) else { continue }
      value.withSpan { value in
        average.withMutableSpan { average in
          for j in average.indices { average[j] += rest * (value[j] - average[j]) }
        }
      }
      state.tensors[key] = average
    }
  }
}
