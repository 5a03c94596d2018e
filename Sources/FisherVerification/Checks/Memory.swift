import FisherLinearAlgebra
import FisherOptimizers
import FisherTraining

extension Check {
  /// State goes through the bytes of a checkpoint in the middle of the run.
  static let resume = Check(
    name: "exact-resume", meaning: "a run that is saved and resumed has the same bits"
  ) { subject in
    let trace = subject.trace(seed: seed, steps: 8)
    let whole = try subject.run(trace, Float.self, subject.probe)
    var interrupted = subject.mutation.map { Mutant<Float>($0, of: subject.record) }
    let changed = subject.mutation?.changed(trace) ?? trace
    let optimizer = try subject.type.init(subject.probe)
    let resumed = try changed.run(subject.mutation?.changed(optimizer) ?? optimizer, Float.self) { driver in
      interrupted?.change(&driver)
      driver.restore(try reread(driver.state))
    }
    try demand(whole == resumed, "a run whose state is saved and read before every step has other bits")
    return "8 steps, saved and read before each"
  }

  private static func reread(_ state: OptimizerState<Float>) throws -> OptimizerState<Float> {
    var file = Safetensors()
    for (key, tensor) in state.tensors { file.set(key.path, tensor) }
    let bytes = try Safetensors(decoding: file.encoded(), from: "memory")
    var state = state
    for (key, tensor) in state.tensors {
      state.tensors[key] = bytes.matrix(key.path, rows: tensor.rows, columns: tensor.columns)
    }
    return state
  }

  static let stateChanges = Check(
    name: "state-changes", meaning: "every piece of state that the record declares exists, and takes part",
    applies: { !$0.stateSize.hasPrefix("nothing") }
  ) { subject in
    // What is refreshed now and then must have been twice.
    let settings = try subject.type.init(subject.probe).settings
    let period = subject.record.cost.periods.map(settings.integer).max() ?? 1
    let trace = subject.trace(seed: seed, steps: max(4, period + 2))
    var states: [OptimizerState<Double>] = []
    var mutant = subject.mutation.map { Mutant<Double>($0, of: subject.record) }
    _ = try (subject.mutation?.changed(trace) ?? trace).run(
      subject.mutation?.changed(try subject.type.init(subject.probe)) ?? subject.type.init(subject.probe),
      Double.self
    ) { driver in
      mutant?.change(&driver)
      states.append(driver.state)
    }
    try demand(
      !states[1].tensors.isEmpty || !states[1].scalars.isEmpty, "there is no state after the first step")
    let still = states[1].tensors.filter { key, tensor in
      states.dropFirst(2).allSatisfy { $0.tensors[key] == tensor }
    }
    try demand(still.isEmpty, "\(still.keys.sorted().map(\.description)) never change after the first step")
    let state = states[1]
    return "\(state.tensors.count) tensors, \(state.scalars.count) numbers, \(state.byteCount) bytes"
  }

  static let stateStaysInSize = Check(
    name: "state-stays-in-size", meaning: "state takes no more memory from step to step"
  ) { subject in
    let trace = subject.trace(seed: seed, steps: 12)
    var sizes: [Int] = []
    _ = try trace.run(try subject.type.init(subject.probe), Double.self) { driver in
      sizes.append(driver.state.byteCount)
    }
    try demand(sizes[11] == sizes[4], "state grows: \(sizes) bytes before the steps")
    return "\(sizes[11]) bytes"
  }
}
