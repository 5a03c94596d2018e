import FisherLinearAlgebra
import FisherOptimizers

/// The memory of a mutation during one run.
struct Mutant<S: KernelScalar> {
  let mutation: Mutation
  private var steps = 0
  private var first: OptimizerState<S>?

  private let derived: Set<String>
  private var basis: TurningBasis<S>?
  /// Derived state as the mutant has left it.
  private var powers: [SlotKey: Matrix<S>] = [:]

  init(_ mutation: Mutation, of record: OptimizerRecord) {
    self.mutation = mutation
    derived = Set(record.derivedSlots)
    basis = record.eigenbasis.map { TurningBasis($0) }
  }

  /// Called before every step.
  ///
  /// - Parameter silent: the layers and parameters that have no gradient in this step.
  mutating func change(_ driver: inout OptimizerDriver<S>, silent: Set<String> = []) {
    steps += 1
    var state = driver.state
    switch mutation {
    case .frozenState:
      if steps == 2 { first = state }
      if let first { state.tensors = first.tensors }
    case .staleInverse:
      let old = (first ?? state).tensors.filter { derived.contains($0.key.slot) }
      if first == nil && !old.isEmpty { first = state }
      state.tensors.merge(old) { $1 }
    case .forgottenState:
      state.tensors = [:]
    case .wrongAveraging:
      state.tensors = state.tensors.mapValues { Self.scaled($0, 1.01) }
    case .missingBiasCorrection:
      // A late step, whose correction is 1; a multiple of every usual period, so that nothing else changes.
      state.stepCount = 720_720_000 + steps - 1
    case .wrongPower:
      for (key, tensor) in state.tensors where derived.contains(key.slot) && powers[key] != tensor {
        let power =
          tensor.rows == tensor.columns ? tensor.multiplied(by: tensor) : Self.squared(tensor)
        (state.tensors[key], powers[key]) = (power, power)
      }
    case .wrongBasis: basis?.leaveAverages(in: &state)
    case .unorderedMoments: basis?.exchangeEigenvectors(in: &state)
    case .lostState:
      state.tensors = state.tensors.filter { !silent.contains($0.key.owner) }
    case .unspecialized, .descentInDisguise, .lopsided, .swappedFactors, .staleCaptures, .wrongScale,
      .wrongCost,
      .falsePromises, .hoarding, .doubleMomentum, .doubleDecay:
      return
    }
    driver.restore(state)
  }

  private static func squared(_ matrix: Matrix<S>) -> Matrix<S> {
    Matrix(matrix.array.map { $0 * $0 }, rows: matrix.rows, columns: matrix.columns)
  }

  private static func scaled(_ matrix: Matrix<S>, _ factor: S) -> Matrix<S> {
    Matrix(matrix.array.map { $0 * factor }, rows: matrix.rows, columns: matrix.columns)
  }
}
