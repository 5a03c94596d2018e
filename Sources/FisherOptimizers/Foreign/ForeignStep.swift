import FisherCurvature
import FisherLinearAlgebra
import FisherPluginABI

/// A step of a plugin's optimizer: its functions get copies of values and state, and what they make of them is staged.
///
/// Not part of ``ForeignOptimizer``: nothing here depends on that type's own parameter, so that there is a text for each
/// element type.
struct ForeignStep {
  let table: ForeignTable
  let settings: Settings

  @specialized(where S == Float) @specialized(where S == Double)
  func plan<S: KernelScalar>(_ step: inout Step<S>) throws(StepRefusal) {
    switch table.form {
    case .byStep(let function, _): try plan(function, &step)
    case .byParameter(let functions):
      for parameter in step.parameters where parameter.count > 0 {
        if functions.isElementwise {
          stagePieces(of: parameter, functions, &step)
        } else {
          try update(parameter, functions, &step)
        }
      }
    }
  }

  /// A whole parameter in one call.
  private func update<S: KernelScalar>(
    _ parameter: ParameterInfo, _ functions: ForeignUpdate, _ step: inout Step<S>
  ) throws(StepRefusal) {
    var value = newValue(of: parameter, &step)
    let gradient = step.gradient(parameter).compacted()
    var states: [Matrix<S>] = []
    for slot in table.slots { states.append(try state(slot, parameter, &step)) }
    // Each state is the only holder of its memory from here on.
    let addresses = states.indices.map { i in
      states[i].withMutablePointer { UnsafeMutableRawPointer($0.base) as UnsafeMutableRawPointer? }
    }
    let size = MemoryLayout<S>.size
    let status = table.withCall(
      parameter, table.numbers(of: settings), number: step.number, schedule: step.schedule
    ) { call in
      functions.named(elementSize: size) {
        functions(
          call, elementSize: size, value.withMutablePointer { UnsafeMutableRawPointer($0.base) },
          gradient.withPointer { UnsafeRawPointer($0.base) }, addresses)
      }
    }
    try refuse(status, parameter.name)
    for (slot, state) in zip(table.slots, states) { step.set(slot, of: parameter.name, to: state) }
    step.replace(parameter, by: value)
    step.spares.keep(value, newValueKey(parameter))
  }

  /// All parameters in one call.
  private func plan<S: KernelScalar>(
    _ function: ForeignFunction, _ step: inout Step<S>
  ) throws(StepRefusal) {
    let needs = table.needs(step: step.number, settings)
    var captures: [[String: LayerCapture<S>]] = [[:], [:]]
    if needs.contains(.outputGradients) || needs.contains(.inputs) && !needs.contains(.sampledLabels) {
      guard let data = step.objective.captures else {
        throw .unavailable(optimizer: table.record.name, what: Needs.captures.description)
      }
      captures[0] = data.layers
    }
    if needs.contains(.sampledLabels) { captures[1] = try step.objective.sampledCaptures().layers }
    var batch = ForeignBatch(
      step.parameters, values: step.parameters.map { newValue(of: $0, &step) },
      gradients: needs.contains(.gradients) ? step.parameters.map { step.gradient($0) } : [],
      captures: captures, outputGradients: step.objective.outputGradients)
    let (loss, samples) = (step.objective.loss, step.objective.sampleCount)
    let (number, schedule, threads) = (step.number, step.schedule, step.threads)
    let (status, problem) = withUnsafeMutablePointer(to: &step) { step in
      let host = StepHost(step, layers: batch.layers, captures: captures)
      let status = function.perform {
        batch.call(
          $0, settings: table.numbers(of: settings), number: number, schedule: schedule, threads: threads,
          loss: loss, samples: samples, host: ForeignHost(host, algebra: host), routines: fisher_routines.all)
      }
      if status == 0 { host.finish() }
      return (status, host.problem)
    }
    if let problem {
      throw .failed(optimizer: table.record.name, place: problem.place, reason: problem.reason)
    }
    try refuse(status, "step \(step.number)")
    for (parameter, value) in zip(step.parameters, batch.values) {
      step.replace(parameter, by: value)
      step.spares.keep(value, newValueKey(parameter))
    }
  }

  /// A copy of θ, to be changed by the plugin.
  private func newValue<S: KernelScalar>(of parameter: ParameterInfo, _ step: inout Step<S>) -> Matrix<S> {
    var value = step.spares.take(newValueKey(parameter), rows: parameter.rows, columns: parameter.columns)
    copy(step.value(parameter), into: &value, on: step.backend)
    return value
  }

  /// No slot has a name with a space.
  private func newValueKey(_ parameter: ParameterInfo) -> SlotKey { SlotKey(parameter.name, "new value") }

  private func refuse(_ status: Int32, _ place: String) throws(StepRefusal) {
    if status != 0 {
      throw .failed(optimizer: table.record.name, place: place, reason: "the plugin returned \(status)")
    }
  }

  /// A copy of a slot, in memory of earlier steps; zeros if there is none.
  private func state<S: KernelScalar>(
    _ slot: String, _ parameter: ParameterInfo, _ step: inout Step<S>
  ) throws(StepRefusal) -> Matrix<S> {
    let (rows, columns) = (parameter.rows, parameter.columns)
    guard let old = step.tensor(slot, of: parameter.name) else { return Matrix(rows: rows, columns: columns) }
    guard old.rows == rows && old.columns == columns else {
      throw .failed(
        optimizer: table.record.name, place: SlotKey(parameter.name, slot).description,
        reason: "the state of \(old.rows)×\(old.columns) does not fit \(parameter.summary)")
    }
    var state = step.memory(for: slot, of: parameter.name, rows: rows, columns: columns)
    copy(old, into: &state, on: step.backend)
    return state
  }
}
