import FisherRuntime

extension OptimizerPart {
  /// Why the part cannot go around a method with these facts; nil if it can.
  static func reason(against method: OptimizerRecord) -> String? {
    let part = record
    if method.hyperparameters.contains(where: { $0.name.hasPrefix(part.prefix + ".") }) {
      return "\(part.prefix) stands in it already"
    }
    if !method.needs.isSuperset(of: part.concerns) {
      return "\(method.name) does not look at \(part.concerns), which the part changes"
    }
    if method.testedSlot != nil, part.place == .after || part.testedSlot != nil {
      return "\(method.name) keeps other weights for the test; averages come last, and there is one"
    }
    return obstacle(to: method)
  }

  /// The facts of a method with the part around it.
  static func record(around method: OptimizerRecord) -> OptimizerRecord {
    let part = record
    let keeps = part.keeps
    let decays = part.decaySetting != nil && method.weightDecay != nil
    var replaced = method.replaced
    if decays { replaced[method.decaySetting] = .number(0) }
    if case .summed = keeps.response, let name = method.momentumSetting { replaced[name] = .number(0) }
    let base = (method.probes.first ?? [:]).merging(replaced) { $1 }
    var composed = OptimizerRecord(
      name: method.name + " + " + part.name, title: method.title + " + " + part.title,
      summary: "\(method.summary) \(part.summary)", paper: "\(method.paper); \(part.paper)",
      needs: method.needs.union(part.needs),
      hyperparameters: method.hyperparameters
        + hyperparameters.map {
          Hyperparameter(part.named($0.name), $0.meaning, $0.value, $0.range, source: $0.source)
        },
      invariances: method.invariances.filter(keeps.invariances.contains),
      cost: Cost(
        method.cost.parts + part.cost.parts,
        note: [method.cost.note, part.cost.note].filter { !$0.isEmpty }.joined(separator: "; ")),
      stateSize: part.stateSize == "nothing"
        ? method.stateSize
        : method.stateSize.hasPrefix("nothing")
          ? part.stateSize : "\(method.stateSize); \(part.stateSize) for \(part.prefix)",
      roles: method.roles,
      // The part goes around both, or the method treats everything itself.
      fallback: method.roles.count < ParameterRole.allCases.count
        ? method.fallback + " + " + part.name : method.fallback,
      probes: part.probes.map { probe in
        base.merging(probe.map { (part.named($0.key), $0.value) }) { $1 }
      }, promises: part.place == .beside ? method.promises : [:], derivedSlots: method.derivedSlots,
      sharedSlots: method.sharedSlots,
      eigenbasis: method.eigenbasis,
      testedSlot: part.testedSlot.map(part.named) ?? method.testedSlot, clipping: method.clipping,
      dependsOnStepNumber: method.dependsOnStepNumber || part.dependsOnStepNumber,
      weightDecay: decays ? .decoupled : method.weightDecay.flatMap { keeps.decay.contains($0) ? $0 : nil },
      constantResponse: response(of: method),
      treatsParametersApart: method.treatsParametersApart && keeps.groups,
      degree: keeps.degree ? method.degree : nil, dependsOnOrder: method.dependsOnOrder)
    composed.replaced = replaced
    composed.decaySetting = decays ? part.named(part.decaySetting!) : method.decaySetting
    return composed
  }

  private static func response(of method: OptimizerRecord) -> ConstantResponse? {
    switch record.keeps.response {
    case .kept: return method.constantResponse
    case .lost: return nil
    // Of a method whose own momentum is at rest.
    case .summed(let name): return method.constantResponse.map { _ in .geometric(record.named(name)) }
    }
  }
}

extension OptimizerRecord {
  /// The hyper-parameter with which the method sums up its own steps; nil without momentum.
  fileprivate var momentumSetting: String? {
    if case .geometric(let name)? = constantResponse { return name }
    // By convention it has this name, as weight decay has.
    return hyperparameters.contains { $0.name == "momentum" } ? "momentum" : nil
  }

  /// What a method does itself beside a part that does it too, a line each: momentum twice is another method, and needs
  /// another learning rate.
  ///
  /// - Parameter settings: those of the run.
  package func doubled(in settings: Settings) -> [String] {
    replaced.sorted { $0.key < $1.key }.compactMap { name, rest in
      guard let value = settings.values[name], value != rest else { return nil }
      return "\(name)=\(value) is beside a part that does the same; \(name)=\(rest) leaves it to the part"
    }
  }
}
