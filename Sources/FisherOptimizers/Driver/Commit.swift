import FisherLinearAlgebra
import FisherRuntime

/// Carries out what is staged; updates in one pass over the memory of values, gradients and state, on several threads.
///
/// Elements are independent of one another, so their bits do not depend on the cut into pieces nor on the threads.
struct Commit {
  let parameters: [ParameterInfo]
  let threads: Int

  /// Elements of a piece: a fraction of a millisecond, and a few hundred kilobytes.
  private static let pieceCount = 32768

  /// Makes the changes of state that are made in place.
  static func change<S: KernelScalar>(
    _ state: inout OptimizerState<S>, by changes: [SlotKey: (inout Matrix<S>) -> Void]
  ) {
    for (key, change) in changes {
      // Out of the dictionary for that time, so that nobody shares it.
      guard var tensor = state.tensors.removeValue(forKey: key) else {
        fatalError("OptimizerDriver: there is no \(key) to be changed")
      }
      change(&tensor)
      state.tensors[key] = tensor
    }
  }

  /// Runs all updates.
  func run<S: KernelScalar>(
    _ updates: [StagedUpdate<S>], _ values: inout [Matrix<S>], _ state: inout OptimizerState<S>
  ) {
    let index = Dictionary(uniqueKeysWithValues: parameters.enumerated().map { ($1.name, $0) })
    // State leaves its dictionary for the time of the pass, so that it is written in place.
    var slots = updates.map { update in
      update.slots.map { key -> Matrix<S>? in
        key.map { Self.take($0, of: update.parameter, from: &state) }
      }
    }
    var operands: [UpdateOperands<S>] = []
    for (u, update) in updates.enumerated() {
      guard let position = index[update.parameter.name] else { continue }
      operands.append(
        UpdateOperands(
          value: Self.address(&values[position]), gradient: update.gradient.withPointer { $0.base },
          gradientStride: update.gradient.rowStride,
          states: slots[u].indices.map { slots[u][$0] == nil ? nil : Self.address(&slots[u][$0]!) },
          row: update.row.map { $0.withPointer { $0.base } },
          column: update.column.map { $0.withPointer { $0.base } }, columns: update.parameter.columns))
    }
    perform(updates, operands)
    withExtendedLifetime((updates, slots, values)) {}
    for (u, update) in updates.enumerated() {
      for (key, tensor) in zip(update.slots, slots[u]) {
        if let key { state.tensors[key] = tensor }
      }
    }
  }

  /// The tensor of a slot, zeros if it is new.
  private static func take<S: KernelScalar>(
    _ key: SlotKey, of parameter: ParameterInfo, from state: inout OptimizerState<S>
  ) -> Matrix<S> {
    guard let tensor = state.tensors.removeValue(forKey: key) else {
      return Matrix(rows: parameter.rows, columns: parameter.columns)
    }
    require(
      tensor.rows == parameter.rows && tensor.columns == parameter.columns,
      "OptimizerDriver: the state \(key) of \(tensor.rows)×\(tensor.columns) does not fit \(parameter.summary)"
    )
    return tensor
  }

  /// Where the elements of a matrix lie, row-major without gaps, in storage of its own.
  private static func address<S: KernelScalar>(_ matrix: inout Matrix<S>) -> UnsafeMutablePointer<S> {
    if !matrix.isContiguous { matrix = matrix.compacted() }
    return matrix.withMutablePointer { $0.base }
  }

  /// The caller keeps the memory of all operands alive, and no two updates share an output.
  private func perform<S: KernelScalar>(_ updates: [StagedUpdate<S>], _ operands: [UpdateOperands<S>]) {
    var pieces: [(update: Int, range: Range<Int>)] = []
    for (u, update) in updates.enumerated() {
      let count = update.parameter.count
      for start in stride(from: 0, to: count, by: Self.pieceCount) {
        pieces.append((u, start..<min(count, start + Self.pieceCount)))
      }
    }
    Parallel.perform(pieces.count, threads: threads) { i in
      let piece = pieces[i]
      updates[piece.update].run(operands[piece.update], piece.range)
    }
  }
}
