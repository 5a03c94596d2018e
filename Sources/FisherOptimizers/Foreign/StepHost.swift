import FisherCurvature
import FisherLinearAlgebra
import FisherPluginABI
import FisherRuntime

/// What a plugin's `step` may ask for during one call: state, memory, the layers, and routines on the step's backend.
final class StepHost<S: KernelScalar>: ForeignAlgebra {
  private let step: UnsafeMutablePointer<Step<S>>
  let backend: any Backend
  let threads: Int
  /// The names of the layers, in the order that the plugin sees.
  private let layers: [String]
  /// By the labels: of the data, drawn.
  private let captures: [[String: LayerCapture<S>]]
  private var states: [SlotKey: Matrix<S>] = [:]
  private var temporaries: [SlotKey: Matrix<S>] = [:]
  /// Rows that were handed out.
  private var rows: [Matrix<S>] = []
  /// A piece of restored state that cannot be.
  private(set) var problem: (place: String, reason: String)?

  /// - Parameter step: outlives the host.
  init(_ step: UnsafeMutablePointer<Step<S>>, layers: [String], captures: [[String: LayerCapture<S>]]) {
    self.step = step
    backend = step.pointee.backend
    threads = step.pointee.threads
    self.layers = layers
    self.captures = captures
  }

  /// Stages the state as the plugin has left it, and keeps the memory that it is done with.
  func finish() {
    for (key, state) in states { step.pointee.set(key.slot, of: key.owner, to: state) }
    for (key, temporary) in temporaries { step.pointee.spares.keep(temporary, key) }
  }

  func state(_ owner: String?, _ slot: String, _ rows: Int, _ columns: Int) -> fisher_matrix {
    let key = key(owner, slot, rows, columns, "state")
    if states[key] == nil {
      let old = step.pointee.tensor(slot, of: key.owner)
      states[key] = copy(old, key, rows, columns)
    }
    return lend(states[key]!, rows, columns, key)
  }

  func temporary(_ owner: String?, _ name: String, _ rows: Int, _ columns: Int) -> fisher_matrix {
    // No slot has a name with a space.
    let key = key(owner, "temporary " + name, rows, columns, "temporary")
    if temporaries[key] == nil {
      temporaries[key] = step.pointee.spares.take(key, rows: rows, columns: columns)
    }
    return lend(temporaries[key]!, rows, columns, key)
  }

  func count(_ event: String) { step.pointee.count(oneLine(event)) }

  /// Memory of earlier steps, and back.
  func spare(_ name: String, _ rows: Int, _ columns: Int) -> Matrix<S> {
    step.pointee.spares.take(SlotKey(step.pointee.owner, name), rows: rows, columns: columns)
  }

  func keep(_ matrix: Matrix<S>, _ name: String) {
    step.pointee.spares.keep(matrix, SlotKey(step.pointee.owner, name))
  }

  /// A writable copy of a piece of state; zeros if there is none, or none of this shape.
  private func copy(_ old: Matrix<S>?, _ key: SlotKey, _ rows: Int, _ columns: Int) -> Matrix<S> {
    guard let old else { return Matrix(rows: rows, columns: columns) }
    guard old.rows == rows && old.columns == columns else {
      problem = (
        key.description, "the state of \(old.rows)×\(old.columns) is asked for as \(rows)×\(columns)"
      )
      return Matrix(rows: rows, columns: columns)
    }
    var copied = step.pointee.memory(for: key.slot, of: key.owner, rows: rows, columns: columns)
    FisherLinearAlgebra.copy(old, into: &copied, on: backend)
    return copied
  }

  private func lend(_ matrix: Matrix<S>, _ rows: Int, _ columns: Int, _ key: SlotKey) -> fisher_matrix {
    require(
      matrix.rows == rows && matrix.columns == columns,
      "\(key): a plugin asks for \(rows)×\(columns) elements, and before for \(matrix.rows)×\(matrix.columns)"
    )
    return fisher_matrix(matrix)
  }

  private func key(
    _ owner: String?, _ name: String, _ rows: Int, _ columns: Int, _ routine: StaticString
  ) -> SlotKey {
    require(
      rows >= 0 && columns >= 0 && !name.isEmpty,
      "\(routine): a plugin asks for \(rows)×\(columns) elements named '\(oneLine(name))'")
    guard let owner else { return SlotKey(step.pointee.owner, name) }
    require(
      layers.contains(owner) || step.pointee.parameters.contains { $0.name == owner },
      "\(routine): '\(oneLine(owner))' is no tensor and no layer of this step")
    return SlotKey(owner, name)
  }
}

// The layers.
extension StepHost {
  func inputRows(_ layer: Int, _ sharing: Int32) -> fisher_matrix {
    keepRows(capture(layer, 0, "input_rows").factorInputs(.init(sharing), on: backend, threads: threads))
  }

  func outputRows(_ layer: Int, _ labels: Int32, _ sharing: Int32) -> fisher_matrix {
    keepRows(capture(layer, labels, "output_rows").factorOutputs(.init(sharing)))
  }

  func averageInputFactor(_ layer: Int, _ a: fisher_matrix, keep: Double, _ sharing: Int32) {
    let capture = capture(layer, captures[0].isEmpty ? 1 : 0, "average_input_factor")
    let inputs = capture.weightColumns
    square(a, "average_input_factor") { a in
      capture.averageInputFactor(
        &a, keeping: keep, of: a.rows == inputs + 1 ? .all : .weight, sharing: .init(sharing), on: backend,
        threads: threads)
    }
  }

  func averageOutputFactor(
    _ layer: Int, _ labels: Int32, _ g: fisher_matrix, keep: Double, _ sharing: Int32
  ) {
    let capture = capture(layer, labels, "average_output_factor")
    square(g, "average_output_factor") { g in
      capture.averageOutputFactor(
        &g, keeping: keep, sharing: .init(sharing), on: backend, threads: threads)
    }
  }

  private func keepRows(_ matrix: Matrix<S>) -> fisher_matrix {
    rows.append(matrix.columnStride == 1 ? matrix : matrix.compacted())
    return fisher_matrix(rows.last!)
  }

  private func capture(_ layer: Int, _ labels: Int32, _ routine: StaticString) -> LayerCapture<S> {
    require(
      layers.indices.contains(layer) && captures.indices.contains(Int(labels)),
      "\(routine): layer \(layer) of \(layers.count), labels \(labels)")
    guard let capture = captures[Int(labels)][layers[layer]], capture.hasFactors else {
      fatalError(
        "\(routine): the step was not given what passes through layer '\(layers[layer])', or it has no factors"
      )
    }
    return capture
  }
}

extension WeightSharing {
  fileprivate init(_ code: Int32) { self = code == FISHER_REDUCE ? .reduce : .expand }
}
