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

  func needs(step number: Int) -> Needs { table.needs(step: number, settings) }

  func plan<S: KernelScalar>(_ step: inout Step<S>) throws(StepRefusal) {
    try ForeignStep(table: table, settings: settings).plan(&step)
  }

  func reference() -> any ReferenceOptimizer { ForeignReference(settings: settings, table: table) }
}
