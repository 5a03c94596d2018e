import FisherLinearAlgebra

/// Looks for NaN and infinity before anything is changed.
enum FiniteCheck {
  /// - Throws: ``StepRefusal/nonFiniteGradient(parameter:layer:index:)`` for the first parameter that has one.
  static func gradients<S: KernelScalar>(
    _ gradients: [Matrix<S>], _ parameters: [ParameterInfo], on backend: any Backend, threads: Int
  ) throws(StepRefusal) {
    for (gradient, parameter) in zip(gradients, parameters) {
      if let index = firstNonFinite(gradient, on: backend) {
        throw .nonFiniteGradient(parameter: parameter.name, layer: parameter.layer, index: index)
      }
    }
  }

  /// - Throws: ``StepRefusal/nonFiniteState(optimizer:slot:)`` for the first slot, by name, that has one.
  static func state<S: KernelScalar>(
    _ changes: StagedChanges<S>, optimizer: String, on backend: any Backend
  ) throws(StepRefusal) {
    for (key, value) in changes.scalars.sorted(by: { $0.key < $1.key }) where !value.isFinite {
      throw .nonFiniteState(optimizer: optimizer, slot: key)
    }
    for (key, tensor) in changes.tensors.sorted(by: { $0.key < $1.key })
    where firstNonFinite(tensor, on: backend) != nil {
      throw .nonFiniteState(optimizer: optimizer, slot: key)
    }
    for update in changes.updates {
      for factor in [update.row, update.column] {
        if let factor, firstNonFinite(factor, on: backend) != nil {
          throw .nonFiniteState(optimizer: optimizer, slot: SlotKey(update.parameter.name, "factor"))
        }
      }
    }
  }

  /// The place of the first NaN or infinity in row-major order.
  ///
  /// A finite sum of magnitudes proves that there is none; a sum may overflow all the same, so then all are looked at.
  static func firstNonFinite<S: KernelScalar>(_ matrix: Matrix<S>, on backend: any Backend) -> Int? {
    if asum(matrix, on: backend).isFinite { return nil }
    return matrix.withSpan { elements in elements.indices.first { !elements[$0].isFinite } }
  }
}
