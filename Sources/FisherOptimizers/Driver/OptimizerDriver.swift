public import FisherLinearAlgebra
import FisherRuntime

/// What a step did.
public struct StepReport: Sendable, Equatable {
  /// t of the step.
  public let number: Int
  /// The norm of all gradients before clipping; nil unless the run clips by norm.
  public let gradientNorm: Double?
  /// What the numerics decided, counted: `damping raised`.
  public let events: [String: Int]
}

/// Runs optimizers on the parameters of a model: groups, schedule, clipping, averages, state.
///
/// A step is a transaction: it plans, then computes what values and state shall be beside what they are; either may fail
/// and changes nothing. Only when all is finite the new takes the place of the old, which cannot fail.
public struct OptimizerDriver<Scalar: KernelScalar>: Sendable {
  public let parameters: [ParameterInfo]
  /// For each parameter that the run's optimizer does not update, who does.
  public let log: [String]
  public var schedule: Schedule
  public var clipping: Clipping
  /// The factor of the weights' running average; nil for none.
  public var averaging: Double?
  public internal(set) var state = OptimizerState<Scalar>()

  let assignments: [Assignment]
  let backend: any Backend
  let threads: Int
  /// Slots of the state that steps of this run have left, and so looked through.
  private var finiteSlots: Set<SlotKey> = []
  private var spares = SpareMatrices<SlotKey, Scalar>()
  private var outcomeSpares = SpareMatrices<OutcomeKey, Scalar>()

  /// - Parameters:
  ///   - optimizer: for the parameters that no group takes.
  ///   - parameters: all parameters of the model; names are unique.
  ///   - groups: the first whose pattern fits a name decides.
  ///   - registry: where fallbacks are looked up.
  ///   - schedule: what multiplies the learning rates.
  ///   - clipping: of the gradients, before any optimizer sees them.
  ///   - averaging: d of the running average ← d·average + (1 − d)·θ, 0 ≤ d < 1, which starts from the first weights.
  ///   - backend: what carries out the linear algebra.
  ///   - threads: the most threads to use.
  /// - Throws: ``SettingsError``, also for a hyper-parameter that `Scalar` cannot hold, or ``RegistryError``.
  public init(
    _ optimizer: any Optimizer, parameters: [ParameterInfo], groups: [ParameterGroup] = [],
    registry: OptimizerRegistry = OptimizerRegistry(), schedule: Schedule = .constant,
    clipping: Clipping = .none, averaging: Double? = nil, backend: any Backend = NativeBackend(),
    threads: Int = Threads.available
  ) throws {
    require(
      Set(parameters.map(\.name)).count == parameters.count,
      "OptimizerDriver: two parameters have one name in \(parameters.map(\.name))")
    self.parameters = parameters
    (assignments, log) = try Assignment.make(parameters, optimizer, groups, registry)
    for assignment in assignments {
      let optimizer = assignment.optimizer
      try optimizer.settings.check(type(of: optimizer).record, in: Scalar.self)
    }
    self.schedule = schedule
    self.clipping = clipping
    self.averaging = averaging
    self.backend = backend
    self.threads = threads
  }

  /// The number of steps taken.
  public var stepCount: Int { state.stepCount }

  /// What the next step needs, asked before the forward pass.
  public var needs: Needs {
    assignments.reduce(into: Needs()) { $0.formUnion($1.optimizer.needs(step: stepCount + 1)) }
  }

  /// The name of an optimizer that asks for this in the next step; nil if none does.
  package func optimizer(needing need: Needs) -> String? {
    assignments.first { $0.optimizer.needs(step: stepCount + 1).isSuperset(of: need) }?.name
  }

  /// Takes a step.
  ///
  /// - Parameters:
  ///   - values: θ in the order of ``parameters``, updated in place.
  ///   - gradients: of the mean loss, in the same order; clipped in place.
  ///   - objective: what else the step may ask for: captures, sampled labels, second passes.
  /// - Throws: ``StepRefusal``; then values and state are as before.
  public mutating func step(
    values: inout [Matrix<Scalar>], gradients: inout [Matrix<Scalar>], objective: any Objective<Scalar>
  ) throws(StepRefusal) -> StepReport {
    try step(values: &values, gradients: &gradients, objective: objective, audit: nil)
  }

  /// The same step, counted.
  @specialized(where Scalar == Float) @specialized(where Scalar == Double)
  package mutating func step(
    values: inout [Matrix<Scalar>], gradients: inout [Matrix<Scalar>], objective: any Objective<Scalar>,
    audit: StepAudit?
  ) throws(StepRefusal) -> StepReport {
    requireShapes(values, "values")
    requireShapes(gradients, "gradients")
    let underflow = Underflow.set(.toZero)
    defer { Underflow.set(underflow) }
    if !objective.loss.isFinite { throw .nonFiniteLoss(objective.loss) }
    // Of a step that does not need them they hold what an earlier one left.
    let needsGradients = needs.contains(.gradients)
    if needsGradients && clipping != .none {
      try FiniteCheck.gradients(gradients, parameters, threads: threads)
    }
    let norm = clipping.apply(to: &gradients, on: backend)
    let check = GradientCheck<Scalar>(threads: threads)
    var changes = StagedChanges<Scalar>()
    var refusal: StepRefusal?
    do { changes = try plan(values, gradients, objective, check, audit) } catch { refusal = error }
    objective.planningEnded()
    if let interruption = objective.interruption { throw interruption }
    if needsGradients {
      // What was planned from them does not matter then.
      let open = parameters.indices.filter { refusal != nil || !check.covers(parameters[$0]) }
      try FiniteCheck.gradients(open.map { gradients[$0] }, open.map { parameters[$0] }, threads: threads)
    }
    if let refusal { throw refusal }
    audit?.begin()
    defer { audit?.end() }
    var outcome = Outcome<Scalar>(parameters)
    swap(&outcomeSpares, &outcome.spares)
    defer { swap(&outcomeSpares, &outcome.spares) }
    if let problem = outcome.compute(changes, values, state, averaging: averaging, threads: threads) {
      outcome.discard()
      try FiniteCheck.gradients(gradients, parameters, threads: threads)
      throw problem.refusal(of: optimizer)
    }
    commit(changes, &outcome, to: &values)
    return StepReport(number: stepCount, gradientNorm: norm, events: changes.events)
  }

  /// Replaces the state by a saved one. A step is refused if a tensor does not have the shape of its parameter.
  public mutating func restore(_ state: OptimizerState<Scalar>) {
    self.state = state
    finiteSlots = []
  }

  /// The running averages of the weights, in the order of ``parameters``; nil before the first step or without them.
  public var averages: [Matrix<Scalar>]? {
    let found = parameters.compactMap { state.averages[$0.name] }
    return found.count == parameters.count && !found.isEmpty ? found : nil
  }

  /// What is to be tested and exported in the place of the weights that are trained: the same, unless a method keeps
  /// others for that (``OptimizerRecord/testedSlot``).
  ///
  /// - Parameter values: the weights, in the order of ``parameters``.
  public func tested(_ values: [Matrix<Scalar>]) -> [Matrix<Scalar>] {
    var tested: [String: Matrix<Scalar>] = [:]
    for assignment in assignments {
      guard let slot = type(of: assignment.optimizer).record.testedSlot else { continue }
      for parameter in assignment.parameters {
        tested[parameter.name] = state.tensors[SlotKey(parameter.name, slot)]
      }
    }
    return zip(parameters, values).map { tested[$0.name] ?? $1 }
  }

  private func requireShapes(_ matrices: [Matrix<Scalar>], _ what: StaticString) {
    require(
      matrices.count == parameters.count,
      "OptimizerDriver: \(matrices.count) \(what) for \(parameters.count) parameters")
    for (matrix, parameter) in zip(matrices, parameters) {
      require(
        matrix.rows == parameter.rows && matrix.columns == parameter.columns,
        "OptimizerDriver: \(matrix.rows)×\(matrix.columns) \(what) for \(parameter.summary)")
    }
  }

  /// Lets every optimizer stage its changes; checks that new state is finite.
  private mutating func plan(
    _ values: [Matrix<Scalar>], _ gradients: [Matrix<Scalar>], _ objective: any Objective<Scalar>,
    _ check: GradientCheck<Scalar>, _ audit: StepAudit?
  ) throws(StepRefusal) -> StagedChanges<Scalar> {
    let index = Dictionary(uniqueKeysWithValues: parameters.enumerated().map { ($1.name, $0) })
    var changes = StagedChanges<Scalar>()
    for assignment in assignments {
      let names = assignment.parameters.map(\.name)
      var step = Step(
        number: stepCount + 1, schedule: schedule.factor(step: stepCount), parameters: assignment.parameters,
        objective: objective, backend: backend, threads: threads, owner: assignment.owner,
        values: Dictionary(uniqueKeysWithValues: names.map { ($0, values[index[$0]!]) }),
        gradients: Dictionary(uniqueKeysWithValues: names.map { ($0, gradients[index[$0]!]) }), state: state,
        gradientCheck: check, audit: audit)
      swap(&spares, &step.spares)
      defer { swap(&spares, &step.spares) }
      audit?.begin()
      try assignment.optimizer.planSpecialized(&step)
      audit?.end()
      try FiniteCheck.state(
        step.staged, known: finiteSlots, optimizer: assignment.name, threads: threads)
      changes.updates += step.staged.updates
      changes.tensors.merge(step.staged.tensors) { _, new in new }
      changes.changes.merge(step.staged.changes) { _, new in new }
      changes.scalars.merge(step.staged.scalars) { _, new in new }
      changes.events.merge(step.staged.events, uniquingKeysWith: +)
    }
    spares.endStep()
    return changes
  }

  /// The new takes the place of the old, whose memory is kept for the next step.
  private mutating func commit(
    _ changes: StagedChanges<Scalar>, _ outcome: inout Outcome<Scalar>, to values: inout [Matrix<Scalar>]
  ) {
    for (key, tensor) in changes.tensors {
      finiteSlots.insert(key)
      let old = state.tensors.updateValue(tensor, forKey: key)
      spares.exchange(key, for: old)
    }
    for (key, change) in changes.changes {
      // Out of the dictionary for that time, so that nobody shares it.
      guard var tensor = state.tensors.removeValue(forKey: key) else {
        fatalError("OptimizerDriver: there is no \(key) to be changed")
      }
      change(&tensor)
      state.tensors[key] = tensor
    }
    state.scalars.merge(changes.scalars) { _, new in new }
    outcome.replace(&values, &state)
    state.stepCount += 1
  }

  /// Whose update of a parameter it is.
  private func optimizer(of parameter: ParameterInfo) -> String {
    assignments.first { $0.parameters.contains { $0.name == parameter.name } }?.name ?? "run"
  }
}
