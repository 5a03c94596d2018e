import FisherCurvature
import FisherLinearAlgebra
import FisherPluginABI

/// The naive form that a plugin brings along.
struct ForeignReference: ReferenceOptimizer {
  let settings: Settings
  let table: ForeignTable
  private var number = 0
  private let memory = ReferenceMemory()

  init(settings: Settings, table: ForeignTable) {
    self.settings = settings
    self.table = table
  }

  /// A reference that fails leaves NaN, which agrees with nothing.
  mutating func step(_ step: inout ReferenceStep) {
    if call(&step) != 0 { step.values = step.values.map { $0.map { _ in .nan } } }
  }

  /// Takes the next step.
  ///
  /// - Returns: what the plugin has returned, 0 if it has worked.
  mutating func call(_ step: inout ReferenceStep) -> Int32 {
    number += 1
    switch table.form {
    case .byParameter: return update(&step)
    case .byStep(_, let reference): return run(reference, &step)
    }
  }

  private func update(_ step: inout ReferenceStep) -> Int32 {
    guard let reference = table.reference else { return 1 }
    var worst: Int32 = 0
    for (p, parameter) in step.parameters.enumerated() where parameter.count > 0 {
      let states = table.slots.map { slot in
        memory.state(parameter.name, slot, 1, parameter.count).data?.assumingMemoryBound(to: Double.self)
      }
      let (number, schedule, gradient) = (number, step.schedule, step.gradients[p])
      let status = table.withCall(parameter, table.numbers(of: settings), number: number, schedule: schedule)
      { call in
        step.values[p].withUnsafeMutableBufferPointer { value in
          PluginCall.perform(reference.line) {
            states.withUnsafeBufferPointer {
              reference.function(call, value.baseAddress, gradient, $0.baseAddress)
            }
          }
        }
      }
      if status != 0 { worst = status }
    }
    return worst
  }

  private func run(_ reference: ForeignFunction, _ step: inout ReferenceStep) -> Int32 {
    let sampled = try? step.objective.sampledCaptures()
    let (objective, parameters, number, schedule) = (
      step.objective, step.parameters, number, step.schedule
    )
    func matrices(_ lists: [[Double]]) -> [Matrix<Double>] {
      zip(parameters, lists).map { Matrix($1, rows: $0.rows, columns: $0.columns) }
    }
    var batch = ForeignBatch(
      parameters, values: matrices(step.values), gradients: matrices(step.gradients),
      captures: [objective.captures?.layers ?? [:], sampled?.layers ?? [:]],
      outputGradients: objective.outputGradients)
    let status = reference.perform {
      batch.call(
        $0, settings: table.numbers(of: settings), number: number, schedule: schedule, threads: 1,
        loss: objective.loss, samples: objective.sampleCount, host: ForeignHost(memory),
        routines: fisher_routines.memoryAlone)
    }
    step.values = batch.values.map(\.array)
    return status
  }
}

/// The state of a reference, and memory for its steps.
private final class ReferenceMemory: ForeignMemory {
  private var matrices: [SlotKey: Matrix<Double>] = [:]

  func state(_ owner: String?, _ slot: String, _ rows: Int, _ columns: Int) -> fisher_matrix {
    let key = SlotKey(owner ?? "", slot)
    if matrices[key].map({ $0.rows != rows || $0.columns != columns }) ?? true {
      matrices[key] = Matrix(rows: rows, columns: columns)
    }
    return fisher_matrix(matrices[key]!)
  }

  func temporary(_ owner: String?, _ name: String, _ rows: Int, _ columns: Int) -> fisher_matrix {
    state(owner, "temporary " + name, rows, columns)
  }
}
