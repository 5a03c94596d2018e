import FisherLinearAlgebra
import FisherOptimizers

/// Follows bases of eigenvectors through a run, and leaves behind what lies in them.
struct TurningBasis<S: KernelScalar> {
  private let fact: Eigenbasis
  /// The bases of the step before, as the mutant has left them.
  private var former: [SlotKey: Matrix<S>] = [:]

  init(_ fact: Eigenbasis) { self.fact = fact }

  private func isBasis(_ key: SlotKey) -> Bool { key.slot == fact.left || key.slot == fact.right }

  /// Averages are brought back to the coordinates that they had before their basis turned.
  mutating func leaveAverages(in state: inout OptimizerState<S>) {
    for (key, tensor) in state.tensors where fact.turning.contains(key.slot) {
      /// Rᵀ, where R = U′ᵀ·U turned the coordinates on one side.
      func back(_ slot: String) -> Matrix<S>? {
        let place = SlotKey(key.owner, slot)
        guard let new = state.tensors[place], let old = former[place], new != old else { return nil }
        return fact.areRows ? old.multiplied(by: new.transposed) : old.transposed.multiplied(by: new)
      }
      var average = tensor
      if let left = back(fact.left) { average = left.multiplied(by: average) }
      if let right = back(fact.right) { average = average.multiplied(by: right.transposed) }
      state.tensors[key] = average
    }
    former = state.tensors.filter { isBasis($0.key) }
  }

  /// Eigenvectors that are new stand in the reverse order.
  mutating func exchangeEigenvectors(in state: inout OptimizerState<S>) {
    for (key, U) in state.tensors where isBasis(key) && former[key] != U {
      let last = U.rows - 1
      state.tensors[key] = Matrix(rows: U.rows, columns: U.columns) { [fact] in
        fact.areRows ? U[last - $0, $1] : U[$0, last - $1]
      }
    }
    former = state.tensors.filter { isBasis($0.key) }
  }
}
