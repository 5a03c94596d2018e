import FisherLinearAlgebra
public import FisherOptimizers

/// An optimizer under verification; with a mutation, a wrong form of it that the battery must reject.
public struct Subject: Sendable {
  public let type: any Optimizer.Type
  public let mutation: Mutation?
  private let references: ReferenceRuns

  public init(_ type: any Optimizer.Type, mutation: Mutation? = nil) {
    self.init(type, mutation, ReferenceRuns())
  }

  private init(_ type: any Optimizer.Type, _ mutation: Mutation?, _ references: ReferenceRuns) {
    self.type = type
    self.mutation = mutation
    self.references = references
  }

  /// A wrong form of the same optimizer, which shares the runs of its naive form.
  public func mutated(by mutation: Mutation) -> Subject { Subject(type, mutation, references) }

  public var record: OptimizerRecord { mutation?.changed(type.record) ?? type.record }

  /// The hyper-parameters that are tried: the record's probes, or the defaults and every flag and choice.
  var probes: [[String: SettingValue]] {
    if !record.probes.isEmpty { return record.probes }
    var probes: [[String: SettingValue]] = [[:]]
    for parameter in record.hyperparameters {
      switch (parameter.range, parameter.value) {
      case (.flag, .flag(let value)): probes.append([parameter.name: .flag(!value)])
      case (.choice(let words), let value):
        probes += words.filter { .choice($0) != value }.map { [parameter.name: .choice($0)] }
      default: break
      }
    }
    return probes
  }

  /// The probe that most checks use.
  var probe: [String: SettingValue] { probes.first ?? [:] }

  /// The probe of declared costs: what a part has put to rest works again.
  var costProbe: [String: SettingValue] { probe.filter { record.replaced[$0.key] == nil } }

  /// Whether the method updates biases itself.
  var treatsBiases: Bool { record.roles.contains(.bias) }

  /// The parameters of a trace that the method treats itself.
  func treated(_ parameters: [ParameterInfo]) -> [ParameterInfo] {
    let seesLayers = !record.needs.isDisjoint(with: .captures)
    return parameters.filter {
      record.roles.contains($0.role) && (!seesLayers || $0.layer != nil || record.roles.contains(.plain))
    }
  }

  func trace(seed: UInt64, steps: Int, _ parameters: [ParameterInfo] = Trace.awkward) -> Trace {
    Trace(seed: seed, steps: steps, parameters: treated(parameters))
  }

  /// What the subject makes of a trace, mutation included.
  ///
  /// - Parameter look: is shown the driver before each step.
  func run<S: KernelScalar>(
    _ trace: Trace, _: S.Type, _ settings: [String: SettingValue], on backend: any Backend = NativeBackend(),
    threads: Int = 1, schedule: Schedule = .constant, groups: [ParameterGroup] = [],
    beforeStep look: (OptimizerDriver<S>) -> Void = { _ in }
  ) throws -> [[Double]] {
    let optimizer = try type.init(settings)
    guard let mutation else {
      return try trace.run(
        optimizer, S.self, on: backend, threads: threads, schedule: schedule, groups: groups
      ) { look($0) }
    }
    var mutant = Mutant<S>(mutation, of: record)
    var t = 0
    return try mutation.changed(trace).run(
      mutation.changed(optimizer), S.self, on: backend, threads: threads, schedule: schedule,
      groups: groups
    ) { driver in
      mutant.change(&driver, silent: trace.silent(in: t))
      t += 1
      look(driver)
    }
  }

  /// What the naive form makes of it; never mutated.
  func runReference(_ trace: Trace, _ settings: [String: SettingValue]) throws -> [[Double]] {
    try references.weights(trace, settings) { trace.runReference(try type.init(settings).reference()) }
  }
}
