import FisherLinearAlgebra
import FisherPluginABI
import Synchronization

/// A number as a type, so that every optimizer of a plugin has a type, and with it a record, of its own.
protocol ForeignIndex: Sendable { static var value: Int { get } }

enum Zero: ForeignIndex { static var value: Int { 0 } }

enum Next<Index: ForeignIndex>: ForeignIndex { static var value: Int { Index.value + 1 } }

/// The optimizers that came from plugins, in the order of loading.
enum ForeignTypes {
  private static let tables = Mutex<[ForeignTable]>([])

  static subscript(index: Int) -> ForeignTable { tables.withLock { $0[index] } }

  /// The type of a new optimizer.
  static func add(_ table: ForeignTable) -> any Optimizer.Type {
    let index = tables.withLock { tables in
      tables.append(table)
      return tables.count - 1
    }
    func type<Index: ForeignIndex>(_: Index.Type, _ rest: Int) -> any Optimizer.Type {
      rest == 0 ? ForeignOptimizer<Index>.self : type(Next<Index>.self, rest - 1)
    }
    return type(Zero.self, index)
  }
}

/// An optimizer of a plugin: the functions of its table, behind the protocol that all others have.
struct ForeignOptimizer<Index: ForeignIndex>: Optimizer {
  static var record: OptimizerRecord { ForeignTypes[Index.value].record }

  let settings: Settings
  private let table: ForeignTable

  init() { self.init(settings: Settings(defaultsOf: Self.record)) }

  init(settings: Settings) {
    self.settings = settings
    table = ForeignTypes[Index.value]
  }

  func plan<S: KernelScalar>(_ step: inout Step<S>) throws(StepRefusal) {
    for parameter in step.parameters where parameter.count > 0 {
      var value = step.value(parameter).compacted()
      var states = table.slots.map { slot in
        step.tensor(slot, of: parameter.name) ?? Matrix<S>(rows: parameter.rows, columns: parameter.columns)
      }
      let status = update(
        &value, step.gradient(parameter).compacted(), &states, parameter, number: step.number,
        schedule: step.schedule)
      let isFinite = value.withSpan { value in value.indices.allSatisfy { value[$0].isFinite } }
      guard status == 0 && isFinite else {
        throw .failed(
          optimizer: Self.record.name, place: parameter.name,
          reason: status == 0 ? "its weights would not be finite" : "the plugin returned \(status)")
      }
      for (slot, state) in zip(table.slots, states) { step.set(slot, of: parameter.name, to: state) }
      step.apply(Replacement<S>(), to: parameter, gradient: value)
    }
  }

  func reference() -> any ReferenceOptimizer { ForeignReference(settings: settings, table: table) }

  /// Calls the plugin for the element type; one that it does not know goes through `Double`.
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
  func update(_ x: inout Element<S>, _: inout NoState) { x.value = x.gradient }
}

extension ForeignTable {
  /// Describes a parameter in a step for the time of a call.
  func withCall<R>(
    _ parameter: ParameterInfo, _ settings: Settings, number: Int, schedule: Double,
    _ body: (UnsafePointer<fisher_parameter>) -> R
  ) -> R {
    let values = record.hyperparameters.map { settings.number($0.name) }
    return parameter.name.withCString { name in
      parameter.role.rawValue.withCString { role in
        values.withUnsafeBufferPointer { values in
          var call = fisher_parameter(
            name: name, role: role, rows: Int64(parameter.rows), columns: Int64(parameter.columns),
            step: Int64(number), schedule: schedule, settings: values.baseAddress)
          return withUnsafePointer(to: &call, body)
        }
      }
    }
  }
}
