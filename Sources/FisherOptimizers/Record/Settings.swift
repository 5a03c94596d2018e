import FisherLinearAlgebra
import FisherRuntime

/// A hyper-parameter that does not exist or does not fit, with what would have been right.
public struct SettingsError: Error, Equatable, CustomStringConvertible {
  public let description: String
}

/// The hyper-parameters of one optimizer: complete and inside their ranges, once made.
public struct Settings: Sendable, Equatable {
  /// The optimizer's name, for messages.
  let optimizer: String
  public private(set) var values: [String: SettingValue]
  /// Those that are not the defaults of the record.
  public private(set) var given: [String: SettingValue] = [:]

  /// The defaults of `record`.
  init(defaultsOf record: OptimizerRecord) {
    optimizer = record.name
    values = Dictionary(uniqueKeysWithValues: record.hyperparameters.map { ($0.name, $0.value) })
  }

  /// The defaults of `record`, replaced by `given` where it names one.
  ///
  /// - Throws: ``SettingsError`` for a name that the record does not list or a value outside of its range.
  public init(_ record: OptimizerRecord, _ given: [String: SettingValue] = [:]) throws(SettingsError) {
    self.init(defaultsOf: record)
    for (name, value) in given.sorted(by: { $0.key < $1.key }) {
      let parameter = try record.hyperparameter(name)
      guard let admitted = parameter.range.admit(value) else {
        throw SettingsError(
          description: "\(record.name): \(name) is \(value.plain); it must be \(parameter.range)")
      }
      values[name] = admitted
      self.given[name] = admitted
    }
  }

  /// The defaults replaced by what the texts spell: `["lr": "1e-3"]`.
  ///
  /// - Throws: ``SettingsError`` for an unknown name, or a text that spells no value in the range.
  public init(_ record: OptimizerRecord, parsing texts: [String: String]) throws(SettingsError) {
    var given: [String: SettingValue] = [:]
    for (name, text) in texts.sorted(by: { $0.key < $1.key }) {
      let parameter = try record.hyperparameter(name)
      guard let value = parameter.range.parse(text) else {
        throw SettingsError(
          description: "\(record.name): \(name) is \(quoted(text)); it must be \(parameter.range)")
      }
      given[name] = value
    }
    try self.init(record, given)
  }

  /// Those that an optimizer has declared as ``Setting``.
  init(of optimizer: some Optimizer) {
    self.init(defaultsOf: type(of: optimizer).record)
    for (name, setting) in declaredSettings(of: optimizer)
    where setting.isGiven || setting.value != values[name] {
      values[name] = setting.value
      given[name] = setting.value
    }
  }

  /// Refuses a number that is another one in `Scalar`: zero, infinite, or outside of the range. The end of a closed range
  /// belongs to it however it is rounded.
  ///
  /// - Throws: ``SettingsError`` for the first in the order of the names.
  package func check<Scalar: KernelScalar>(_ record: OptimizerRecord, in _: Scalar.Type) throws(SettingsError)
  {
    for parameter in record.hyperparameters.sorted(by: { $0.name < $1.name }) {
      guard case .number(let x)? = values[parameter.name], x != 0 else { continue }
      let rounded = Double(Scalar(x))
      if case .closed = parameter.range, rounded != 0, rounded.isFinite { continue }
      if rounded != 0 && parameter.range.admit(.number(rounded)) != nil { continue }
      let wanted =
        if rounded == 0 {
          "the least number above 0 is \(Scalar.leastNonzeroMagnitude) there"
        } else if rounded.isFinite {
          "it must be \(parameter.range)"
        } else { "the largest number is \(Scalar.greatestFiniteMagnitude) there" }
      throw SettingsError(
        description:
          "\(optimizer): \(parameter.name) is \(shortest(x)), which is \(shortest(rounded)) in \(Scalar.self): \(wanted)"
      )
    }
  }

  /// A real number. Traps unless the record lists one of this name, as do the next three.
  public func number(_ name: String) -> Double {
    guard case .number(let value) = values[name] else { wrongType(name, "number") }
    return value
  }

  /// An integer.
  public func integer(_ name: String) -> Int {
    guard case .integer(let value) = values[name] else { wrongType(name, "integer") }
    return value
  }

  /// A yes or no.
  public func flag(_ name: String) -> Bool {
    guard case .flag(let value) = values[name] else { wrongType(name, "flag") }
    return value
  }

  /// One of the words of its range.
  public func choice(_ name: String) -> String {
    guard case .choice(let value) = values[name] else { wrongType(name, "choice") }
    return value
  }

  /// Whether the value was set, even if to the default.
  public func isGiven(_ name: String) -> Bool { given[name] != nil }

  private func wrongType(_ name: String, _ type: String) -> Never {
    fatalError("Settings: \(optimizer) has no \(type) named \(name)")
  }
}

extension SettingValue {
  /// As a person would write it.
  fileprivate var plain: String {
    if case .number(let x) = self { return shortest(x) }
    return description
  }
}
