import FisherCurvature
import FisherPluginABI
import FisherRuntime

extension ForeignReader {
  /// The facts that a table declares.
  func record(
    _ table: fisher_optimizer, named name: String, slots: [String]
  ) throws(PluginError) -> OptimizerRecord {
    if table.reserved != 0 || table.reserved_2 != 0 {
      throw invalid("the reserved field of the table is not 0")
    }
    let hyperparameters = try hyperparameters(table)
    let (facts, isByStep) = (table.facts, table.step != nil)
    try requireKnown(facts, version: table.version)
    return OptimizerRecord(
      name: name, title: try text(table.title, "title"), summary: try text(table.summary, "summary"),
      paper: try text(table.paper, "paper"), needs: try needs(table), hyperparameters: hyperparameters,
      invariances: Self.invariances.filter { facts & UInt32($0.flag) != 0 }.map(\.invariance),
      cost: try cost(table, hyperparameters, slots: slots.count),
      stateSize: try stateSize(table, slots: slots.count), roles: try roles(table),
      fallback: table.fallback == nil
        ? "adamw" : try self.name(table.fallback, "fallback", isLowerCase: true),
      probes: try probes(table, hyperparameters),
      derivedSlots: isByStep
        ? try self.slots(table.derived_slots, table.derived_slot_count, "derived_slots") : [],
      dependsOnStepNumber: facts & UInt32(FISHER_DEPENDS_ON_STEP) != 0,
      weightDecay: try weightDecay(facts, hyperparameters),
      constantResponse: try constantResponse(table, hyperparameters))
  }

  /// A list of names of slots.
  func slots(
    _ list: UnsafePointer<UnsafePointer<CChar>?>?, _ count: UInt32, _ what: String
  ) throws(PluginError) -> [String] {
    var slots: [String] = []
    for i in 0..<(try self.count(count, what)) {
      slots.append(try name(try required(list, what)[i], "name for slot \(i)"))
    }
    try requireDistinct(slots, what)
    // The driver keeps the running average of the weights under this name.
    if slots.contains("average") { throw invalid("no slot can be named 'average'") }
    return slots
  }

  private static let invariances: [(flag: Int, invariance: Invariance)] = [
    (FISHER_LOSS_SCALE, .lossScale), (FISHER_ELEMENT_PERMUTATION, .elementPermutation),
    (FISHER_UNIT_PERMUTATION, .unitPermutation), (FISHER_SIGN, .sign), (FISHER_ROTATION, .rotation),
  ]

  private func requireKnown(_ facts: UInt32, version: UInt32) throws(PluginError) {
    let known: UInt32 = version == 1 ? 0x3f : 0x3ff
    if facts & ~known != 0 {
      throw invalid("its facts have unknown flags: 0x\(String(facts & ~known, radix: 16))")
    }
  }

  private func needs(_ table: fisher_optimizer) throws(PluginError) -> Needs {
    if table.needs >= 32 {
      throw invalid("its needs have unknown flags: 0x\(String(table.needs, radix: 16))")
    }
    if table.needs != 0 && table.step == nil && table.needs != UInt32(FISHER_NEEDS_GRADIENTS) {
      throw invalid(
        "its update functions see gradients alone, but its needs are 0x\(String(table.needs, radix: 16))")
    }
    return table.needs == 0 ? .gradients : Needs(rawValue: Int(table.needs))
  }

  private func roles(_ table: fisher_optimizer) throws(PluginError) -> Set<ParameterRole> {
    if table.roles >= 128 {
      throw invalid("its roles have unknown flags: 0x\(String(table.roles, radix: 16))")
    }
    let all = ParameterRole.allCases
    return Set(table.roles == 0 ? all : all.filter { table.roles & UInt32($0.bit) != 0 })
  }

  private func weightDecay(
    _ facts: UInt32, _ hyperparameters: [Hyperparameter]
  ) throws(PluginError) -> WeightDecay? {
    let kinds: [(Int, WeightDecay)] = [
      (FISHER_COUPLED_DECAY, .coupled), (FISHER_DECOUPLED_DECAY, .decoupled),
    ]
    let declared = kinds.filter { facts & UInt32($0.0) != 0 }.map(\.1)
    if declared.isEmpty { return nil }
    if declared.count > 1 { throw invalid("its decay is declared coupled and decoupled") }
    _ = try required(hyperparameters.first { $0.name == "weightDecay" }, "hyper-parameter weightDecay")
    return declared[0]
  }

  private func constantResponse(
    _ table: fisher_optimizer, _ hyperparameters: [Hyperparameter]
  ) throws(PluginError) -> ConstantResponse? {
    let areEqual = table.facts & UInt32(FISHER_EQUAL_STEPS) != 0
    guard table.momentum != nil else { return areEqual ? .equal : nil }
    if areEqual { throw invalid("its steps are declared equal and a geometric sum") }
    let momentum = try name(table.momentum, "momentum")
    guard let parameter = hyperparameters.first(where: { $0.name == momentum }),
      case .number = parameter.value
    else { throw invalid("its momentum \(quoted(momentum)) is none of its hyper-parameters") }
    return .geometric(momentum)
  }
}
