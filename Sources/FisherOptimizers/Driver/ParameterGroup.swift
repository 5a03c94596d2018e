/// Parameters that are treated in their own way: those whose names fit a pattern.
public struct ParameterGroup: Sendable {
  public let pattern: NamePattern
  /// The optimizer for them; nil for the one of the run.
  public let optimizer: (any Optimizer)?
  /// Hyper-parameters that replace those of the optimizer: `["lr": 1e-4, "weightDecay": 0]`.
  public let settings: [String: SettingValue]
  /// They are not updated at all.
  public let isFrozen: Bool

  public init(
    _ pattern: NamePattern, optimizer: (any Optimizer)? = nil, settings: [String: SettingValue] = [:],
    isFrozen: Bool = false
  ) {
    self.pattern = pattern
    self.optimizer = optimizer
    self.settings = settings
    self.isFrozen = isFrozen
  }
}

/// The parameters that one optimizer value updates.
struct Assignment: Sendable {
  let optimizer: any Optimizer
  let parameters: [ParameterInfo]
  /// The owner of its own state.
  let owner: String

  var name: String { type(of: optimizer).record.name }
}

extension OptimizerDriver: CustomStringConvertible {
  /// Who updates the parameters, with all settings, and which ones if not all: `adam beta1=0.9 …`.
  public var description: String {
    assignments.map { assignment in
      let settings = assignment.optimizer.settings.values.sorted { $0.key < $1.key }
      let text = ([assignment.owner] + settings.map { "\($0.key)=\($0.value)" }).joined(separator: " ")
      if assignment.parameters.count == parameters.count { return text }
      return text + " for " + assignment.parameters.map(\.name).joined(separator: ", ")
    }.joined(separator: "; ")
  }
}

extension Assignment {
  /// Gives every parameter to the first group whose pattern it fits, else to `optimizer`; and what a method does not
  /// treat to its fallback.
  ///
  /// - Returns: the assignments, and a line for the log for each parameter that does not go to `optimizer` itself.
  /// - Throws: ``SettingsError`` if a group's settings do not fit, ``RegistryError`` for a fallback that is not known.
  static func make(
    _ parameters: [ParameterInfo], _ optimizer: any Optimizer, _ groups: [ParameterGroup],
    _ registry: OptimizerRegistry
  ) throws -> (assignments: [Assignment], log: [String]) {
    // Slot 0 is the run's optimizer; a group's optimizer and its fallback are made when first needed.
    var members: [String: (optimizer: any Optimizer, parameters: [ParameterInfo])] = [:]
    var order: [String] = []
    var log: [String] = []
    func add(_ parameter: ParameterInfo, to owner: String, _ make: () throws -> any Optimizer) rethrows {
      if members[owner] == nil {
        members[owner] = (try make(), [])
        order.append(owner)
      }
      members[owner]?.parameters.append(parameter)
    }
    for parameter in parameters {
      let group = groups.first { $0.pattern.matches(parameter.name) }
      if group?.isFrozen == true {
        log.append("\(parameter.name): frozen")
        continue
      }
      let base = group?.optimizer ?? optimizer
      let record = type(of: base).record
      let owner = group.map { "\(record.name)[\($0.pattern)]" } ?? record.name
      guard record.roles.contains(parameter.role) else {
        log.append(
          "\(parameter.name): \(record.name) does not treat \(parameter.role.rawValue); \(record.fallback) updates it"
        )
        try add(parameter, to: owner + "→" + record.fallback) {
          let fallback = try registry.type(record.fallback)
          // Parts that go around the method go around it, as they are.
          let parts = base.settings.given.filter { name, _ in name.contains(".") }
          return fallback.init(settings: try Settings(fallback.record, parts))
        }
        continue
      }
      if let group { log.append("\(parameter.name): group \(group.pattern), \(record.name)") }
      try add(parameter, to: owner) {
        guard let group, !group.settings.isEmpty else { return base }
        let merged = base.settings.given.merging(group.settings) { _, new in new }
        return type(of: base).init(settings: try Settings(record, merged))
      }
    }
    let assignments = order.compactMap { owner in
      members[owner].map { Assignment(optimizer: $0.optimizer, parameters: $0.parameters, owner: owner) }
    }
    return (assignments, log)
  }
}
