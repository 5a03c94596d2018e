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
    for parameter in step.parameters where parameter.count > 0 {
      // No slot has a name with a space.
      let key = SlotKey(parameter.name, "new value")
      var value = step.spares.take(key, rows: parameter.rows, columns: parameter.columns)
      copy(step.value(parameter), into: &value, on: step.backend)
      var states: [Matrix<S>] = []
      for slot in table.slots { states.append(try state(slot, parameter, &step)) }
      let status = update(
        &value, step.gradient(parameter).compacted(), &states, parameter, number: step.number,
        schedule: step.schedule)
      guard status == 0 else {
        throw .failed(
          optimizer: table.record.name, place: parameter.name, reason: "the plugin returned \(status)")
      }
      for (slot, state) in zip(table.slots, states) { step.set(slot, of: parameter.name, to: state) }
      step.apply(Replacement<S>(), to: parameter, gradient: value)
      step.spares.keep(value, key)
    }
  }

  /// A copy of a slot, in memory of earlier steps; zeros if there is none.
  @inline(__always)
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

  /// Calls the plugin for the element type; one that it does not know goes through `Double`.
  @inline(__always)
  private func update<S: KernelScalar>(
    _ value: inout Matrix<S>, _ gradient: Matrix<S>, _ states: inout [Matrix<S>], _ parameter: ParameterInfo,
    number: Int, schedule: Double
  ) -> Int32 {
    table.withCall(parameter, settings, number: number, schedule: schedule) { call in
      if S.self == Float.self {
        return withPointers(&value, gradient, &states, as: Float.self) { value, gradient, states in
          PluginCall.perform(table.lines.updateFloat) { table.updateFloat(call, value, gradient, states) }
        }
      }
      if S.self == Double.self {
        return withPointers(&value, gradient, &states, as: Double.self) { updateDouble(call, $0, $1, $2) }
      }
      var (wide, wideStates) = (
        Self.converted(value, to: Double.self), states.map { Self.converted($0, to: Double.self) }
      )
      let status = withPointers(
        &wide, Self.converted(gradient, to: Double.self), &wideStates, as: Double.self
      ) { updateDouble(call, $0, $1, $2) }
      value = Self.converted(wide, to: S.self)
      states = wideStates.map { Self.converted($0, to: S.self) }
      return status
    }
  }

  private func updateDouble(
    _ call: UnsafePointer<fisher_parameter>, _ value: UnsafeMutablePointer<Double>?,
    _ gradient: UnsafePointer<Double>?, _ states: UnsafePointer<UnsafeMutablePointer<Double>?>?
  ) -> Int32 {
    PluginCall.perform(table.lines.updateDouble) { table.updateDouble(call, value, gradient, states) }
  }

  private static func converted<A: KernelScalar, B: KernelScalar>(_ x: Matrix<A>, to _: B.Type) -> Matrix<B> {
    Matrix(x.array.map { B(Double($0)) }, rows: x.rows, columns: x.columns)
  }

  /// Lends the elements, which are `T` already, to the plugin.
  private func withPointers<S: KernelScalar, T>(
    _ value: inout Matrix<S>, _ gradient: Matrix<S>, _ states: inout [Matrix<S>], as _: T.Type,
    _ body: (UnsafeMutablePointer<T>?, UnsafePointer<T>?, UnsafePointer<UnsafeMutablePointer<T>?>?) -> Int32
  ) -> Int32 {
    func cast(_ pointer: UnsafeMutablePointer<S>) -> UnsafeMutablePointer<T> {
      UnsafeMutableRawPointer(pointer).assumingMemoryBound(to: T.self)
    }
    // Each state is the only holder of its memory from here on.
    var addresses: [UnsafeMutablePointer<T>?] = []
    for i in states.indices {
      if !states[i].isContiguous { states[i] = states[i].compacted() }
      addresses.append(states[i].withMutablePointer { cast($0.base) })
    }
    defer { withExtendedLifetime(states) {} }
    return value.withMutablePointer { value in
      gradient.withPointer { gradient in
        addresses.withUnsafeBufferPointer {
          body(cast(value.base), cast(UnsafeMutablePointer(mutating: gradient.base)), $0.baseAddress)
        }
      }
    }
  }
}

/// θ becomes what the plugin made of it.
private struct Replacement<S: KernelScalar>: UpdateRule {
  @inline(__always)
  func update(_ x: inout Element<S>, _: inout NoState) { x.value = x.gradient }
}
