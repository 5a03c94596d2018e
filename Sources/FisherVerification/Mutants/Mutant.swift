import FisherLinearAlgebra
import FisherOptimizers

/// The memory of a mutation during one run.
struct Mutant<S: KernelScalar> {
  let mutation: Mutation
  private var steps = 0
  private var first: OptimizerState<S>?

  private let derived: Set<String>

  init(_ mutation: Mutation, of record: OptimizerRecord) {
    self.mutation = mutation
    derived = Set(record.derivedSlots)
  }

  /// Called before every step.
  mutating func change(_ driver: inout OptimizerDriver<S>) {
    steps += 1
    let state = driver.state
    switch mutation {
    case .frozenState:
      if steps == 2 { first = state }
      if let first { driver.restore(OptimizerState(tensors: first.tensors, scalars: state.scalars)) }
    case .staleInverse:
      let old = (first ?? state).tensors.filter { derived.contains($0.key.slot) }
      if first == nil && !old.isEmpty { first = state }
      driver.restore(
        OptimizerState(tensors: state.tensors.merging(old) { $1 }, scalars: state.scalars))
    case .forgottenState:
      driver.restore(OptimizerState(scalars: state.scalars))
    case .wrongAveraging:
      driver.restore(
        OptimizerState(tensors: state.tensors.mapValues { Self.scaled($0, 1.01) }, scalars: state.scalars))
    case .missingBiasCorrection:
      // A late step, whose correction is 1; a multiple of every usual period, so that nothing else changes.
      var scalars = state.scalars
      scalars[SlotKey("run", "t")] = Double(720_720_000 + steps - 1)
      driver.restore(OptimizerState(tensors: state.tensors, scalars: scalars))
    case .descentInDisguise, .lopsided, .swappedFactors, .staleCaptures, .wrongScale, .wrongCost,
      .falsePromises,
      .hoarding:
      break
    }
  }

  private static func scaled(_ matrix: Matrix<S>, _ factor: S) -> Matrix<S> {
    Matrix(matrix.array.map { $0 * factor }, rows: matrix.rows, columns: matrix.columns)
  }
}
