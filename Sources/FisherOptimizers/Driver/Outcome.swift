import FisherLinearAlgebra
import FisherRuntime

/// What belongs to an outcome, as the name of its memory.
enum OutcomeKey: Hashable, Sendable {
  case value(Int)
  case average(Int)
  case slot(SlotKey)
}

/// What values, slots and averages shall be after a step, computed beside what they are.
///
/// Memory alternates between old and new from step to step. Beside is what makes a step a transaction at the price of one
/// pass: an update in place could not be taken back, and a pass that only checks would read everything once more.
struct Outcome<Scalar: KernelScalar> {
  /// Why an outcome cannot be.
  enum Problem {
    /// An element of the direction is not finite.
    case direction(ParameterInfo, index: Int)
    /// An element of the new θ is not finite.
    case value(ParameterInfo, index: Int)
    /// A new slot of the parameter is not finite.
    case slot(SlotKey, ParameterInfo)
    /// The new running average is not finite.
    case average(ParameterInfo)
    /// The update says itself why it cannot be.
    case update(ParameterInfo, reason: String)
    /// The old slot does not have the shape of the parameter.
    case shape(SlotKey, ParameterInfo, rows: Int, columns: Int)
  }

  /// The driver's, for the time of the step.
  var spares = SpareMatrices<OutcomeKey, Scalar>()
  private let parameters: [ParameterInfo]
  private var values: [Int: Matrix<Scalar>] = [:]
  private var slots: [SlotKey: Matrix<Scalar>] = [:]
  private var averages: [Int: Matrix<Scalar>] = [:]

  init(_ parameters: [ParameterInfo]) { self.parameters = parameters }

  /// Runs all updates, then the averages of what they gave.
  ///
  /// - Precondition: a parameter is updated once, and a slot is not changed in place in the same step.
  mutating func compute(
    _ changes: StagedChanges<Scalar>, _ old: [Matrix<Scalar>], _ state: OptimizerState<Scalar>,
    averaging: Double?, threads: Int
  ) -> Problem? {
    let index = Dictionary(uniqueKeysWithValues: parameters.enumerated().map { ($1.name, $0) })
    var passes: [Pass] = []
    var updated: Set<Int> = []
    for update in changes.updates {
      guard let position = index[update.parameter.name] else { continue }
      require(updated.insert(position).inserted, "Step: two updates of \(update.parameter.name)")
      let θ = old[position]
      var pass = Pass(
        update, position, θ, into: spares.take(.value(position), rows: θ.rows, columns: θ.columns))
      for key in update.slots {
        require(
          key.map { changes.changes[$0] == nil } ?? true,
          "Step: a slot of \(update.parameter.name) is changed in place and by its update")
        let former = key.flatMap { changes.tensors[$0] ?? state.tensors[$0] }
        if let key, let former, former.rows != pass.rows || former.columns != pass.columns {
          return .shape(key, update.parameter, rows: former.rows, columns: former.columns)
        }
        pass.add(key, former) { spares.take(.slot($0), rows: θ.rows, columns: θ.columns) }
      }
      passes.append(pass)
    }
    let isFinite = Pass.run(&passes, threads: threads)
    for pass in passes {
      values[pass.position] = pass.value
      for (key, tensor) in pass.slots { slots[key] = tensor }
    }
    if let bad = isFinite.firstIndex(of: false) { return Self.problem(in: passes[bad]) }
    return averaging.flatMap { average(old, state, rest: Scalar(1 - $0), threads: threads) }
  }

  /// The averages start from the weights before the first step.
  private mutating func average(
    _ old: [Matrix<Scalar>], _ state: OptimizerState<Scalar>, rest: Scalar, threads: Int
  ) -> Problem? {
    var passes = parameters.indices.map { i in
      Pass(
        averaging: parameters[i], i, state.averages[parameters[i].name] ?? old[i], values[i] ?? old[i],
        WeightAverage(rest: rest),
        into: spares.take(.average(i), rows: old[i].rows, columns: old[i].columns))
    }
    let isFinite = Pass.run(&passes, threads: threads)
    for pass in passes { averages[pass.position] = pass.value }
    return isFinite.firstIndex(of: false).map { .average(parameters[passes[$0].position]) }
  }

  /// Exchanges old and new.
  mutating func replace(_ old: inout [Matrix<Scalar>], _ state: inout OptimizerState<Scalar>) {
    for (i, value) in values {
      spares.keep(old[i], .value(i))
      old[i] = value
    }
    for (key, tensor) in slots {
      if let former = state.tensors.updateValue(tensor, forKey: key) { spares.keep(former, .slot(key)) }
    }
    for (i, average) in averages {
      if let former = state.averages.updateValue(average, forKey: parameters[i].name) {
        spares.keep(former, .average(i))
      }
    }
    (values, slots, averages) = ([:], [:], [:])
  }

  /// Keeps the memory of an outcome that cannot be.
  mutating func discard() {
    for (i, value) in values { spares.keep(value, .value(i)) }
    for (key, tensor) in slots { spares.keep(tensor, .slot(key)) }
    for (i, average) in averages { spares.keep(average, .average(i)) }
    (values, slots, averages) = ([:], [:], [:])
  }

  static func problem(in pass: Pass) -> Problem {
    if let reason = pass.reason() { return .update(pass.parameter, reason: reason) }
    if let index = FiniteCheck.firstNonFinite(pass.gradient) {
      return .direction(pass.parameter, index: index)
    }
    if let bad = pass.slots.first(where: { FiniteCheck.firstNonFinite($0.tensor) != nil }) {
      return .slot(bad.key, pass.parameter)
    }
    return .value(pass.parameter, index: FiniteCheck.firstNonFinite(pass.value) ?? 0)
  }
}
