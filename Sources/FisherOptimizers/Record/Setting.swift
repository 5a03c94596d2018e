import FisherRuntime
import Synchronization

/// What a hyper-parameter can be: a number, a count, a yes or no, a choice among words.
public protocol SettingType: Sendable, Equatable {
  /// All values of the type.
  static var everything: SettingRange { get }
  /// The same as a value of any type.
  var settingValue: SettingValue { get }
  /// nil if the value is of another type.
  init?(setting: SettingValue)
}

extension Double: SettingType {
  public static var everything: SettingRange { .closed(-greatestFiniteMagnitude, greatestFiniteMagnitude) }
  public var settingValue: SettingValue { .number(self) }

  public init?(setting: SettingValue) {
    guard case .number(let value) = setting else { return nil }
    self = value
  }
}

extension Int: SettingType {
  public static var everything: SettingRange { .atLeast(.min) }
  public var settingValue: SettingValue { .integer(self) }

  public init?(setting: SettingValue) {
    guard case .integer(let value) = setting else { return nil }
    self = value
  }
}

extension Bool: SettingType {
  public static var everything: SettingRange { .flag }
  public var settingValue: SettingValue { .flag(self) }

  public init?(setting: SettingValue) {
    guard case .flag(let value) = setting else { return nil }
    self = value
  }
}

/// A choice among words: `enum Variant: String, SettingChoice { case paper, official }`.
public protocol SettingChoice: SettingType, CaseIterable, RawRepresentable where RawValue == String {}

extension SettingChoice {
  public static var everything: SettingRange { .choice(allCases.map(\.rawValue)) }
  public var settingValue: SettingValue { .choice(rawValue) }

  public init?(setting: SettingValue) {
    guard case .choice(let word) = setting else { return nil }
    self.init(rawValue: word)
  }
}

/// A hyper-parameter of an ``Optimizer``, declared once: name, default, meaning, range and source.
///
///     @Setting("learning rate α", .positive, source: "Polyak 1964") var lr = 0.01
///
/// The method reads it as a property, users set it in the initializer or by `--set lr=0.1`, and the record lists it.
/// A value outside of the range traps.
@propertyWrapper
public struct Setting<Value: SettingType>: Sendable {
  private let meaning: String
  private let range: SettingRange
  private let source: String
  private var cell: Cell

  private struct Content: Sendable {
    var value: Value
    /// Whether it was set, even if to the default.
    var isGiven: Bool
  }

  /// Memory that reflection can find and set in an optimizer that is being made. Afterwards nobody writes to it: a
  /// property that is set gets a cell of its own.
  private final class Cell: Sendable {
    let content: Mutex<Content>

    init(_ value: Value, isGiven: Bool) { content = Mutex(Content(value: value, isGiven: isGiven)) }
  }

  private var content: Content { cell.content.withLock { $0 } }

  /// - Parameters:
  ///   - wrappedValue: the default.
  ///   - meaning: what it does, in one line.
  ///   - range: which values are legal.
  ///   - source: where the default comes from.
  public init(
    wrappedValue: Value, _ meaning: String, _ range: SettingRange = Value.everything, source: String
  ) {
    self.meaning = meaning
    self.range = range
    self.source = source
    cell = Cell(wrappedValue, isGiven: false)
    check(wrappedValue)
  }

  public var wrappedValue: Value {
    @specialized(where Value == Double) @specialized(where Value == Int) @specialized(where Value == Bool)
    get { content.value }
    set {
      check(newValue)
      cell = Cell(newValue, isGiven: true)
    }
  }

  /// The hyper-parameter itself, for ``isGiven`` and ``or(_:if:)``.
  public var projectedValue: Setting { self }

  /// Whether it was set, even if to the default.
  public var isGiven: Bool { content.isGiven }

  /// The value; but `other` if none was set and the condition holds: for defaults that follow another hyper-parameter.
  public func or(_ other: Value, if condition: Bool) -> Value { condition && !isGiven ? other : wrappedValue }

  /// Sets it, if there is a value: for initializers whose arguments can be left out.
  public mutating func set(_ value: Value?) {
    if let value { wrappedValue = value }
  }

  private func check(_ value: Value) {
    require(
      range.admit(value.settingValue) != nil,
      "Setting: \(value.settingValue) for '\(meaning)'; it must be \(range)")
  }
}

/// Hyper-parameters that several optimizers have in common: a property of an optimizer, whose own are counted as its.
public protocol SettingGroup: Sendable {}

/// A ``Setting`` of any type.
protocol AnySetting {
  var value: SettingValue { get }
  var isGiven: Bool { get }
  func hyperparameter(_ name: String) -> Hyperparameter
  /// Overwrites the value, for all who share it: only in an initializer.
  func initialize(to value: SettingValue)
}

extension Setting: AnySetting {
  var value: SettingValue { wrappedValue.settingValue }

  func hyperparameter(_ name: String) -> Hyperparameter {
    Hyperparameter(name, meaning, value, range, source: source)
  }

  func initialize(to value: SettingValue) {
    guard let value = Value(setting: value) else {
      fatalError("Setting: \(value) is of another type than \(Value.self)")
    }
    cell.content.withLock { $0 = Content(value: value, isGiven: true) }
  }
}

/// The hyper-parameters that an optimizer declares, by the names of its properties, in their order.
func declaredSettings(of optimizer: Any) -> [(name: String, setting: any AnySetting)] {
  Mirror(reflecting: optimizer).children.flatMap { child -> [(String, any AnySetting)] in
    if let group = child.value as? any SettingGroup { return declaredSettings(of: group) }
    guard let setting = child.value as? any AnySetting, let label = child.label else { return [] }
    // The storage of a wrapped property has its name with an underscore.
    return [(String(label.dropFirst()), setting)]
  }
}
