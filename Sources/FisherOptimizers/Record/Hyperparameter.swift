/// The value of a hyper-parameter.
public enum SettingValue: Sendable, Hashable, CustomStringConvertible {
  case number(Double)
  case integer(Int)
  case flag(Bool)
  case choice(String)

  public var description: String {
    switch self {
    case .number(let value): return "\(value)"
    case .integer(let value): return "\(value)"
    case .flag(let value): return "\(value)"
    case .choice(let value): return value
    }
  }
}

extension SettingValue: ExpressibleByFloatLiteral, ExpressibleByIntegerLiteral, ExpressibleByBooleanLiteral,
  ExpressibleByStringLiteral
{
  public init(floatLiteral value: Double) { self = .number(value) }
  public init(integerLiteral value: Int) { self = .integer(value) }
  public init(booleanLiteral value: Bool) { self = .flag(value) }
  public init(stringLiteral value: String) { self = .choice(value) }
}

/// What values a hyper-parameter may take.
public enum SettingRange: Sendable, Hashable, CustomStringConvertible {
  /// x > 0, finite.
  case positive
  /// x ≥ 0, finite.
  case nonNegative
  /// a ≤ x < b.
  case halfOpen(Double, Double)
  /// a ≤ x ≤ b.
  case closed(Double, Double)
  /// An integer of at least this.
  case atLeast(Int)
  /// true or false.
  case flag
  /// One of these words.
  case choice([String])

  /// `[0, 1)`
  public var description: String {
    switch self {
    case .positive: return "(0, ∞)"
    case .nonNegative: return "[0, ∞)"
    case .halfOpen(let a, let b): return "[\(a), \(b))"
    case .closed(let a, let b): return "[\(a), \(b)]"
    case .atLeast(let least): return "\(least), \(least + 1), …"
    case .flag: return "true, false"
    case .choice(let words): return words.joined(separator: ", ")
    }
  }

  /// The value in the type of this range, or nil if it lies outside. An integer is a number too.
  func admit(_ value: SettingValue) -> SettingValue? {
    switch (self, value) {
    case (.atLeast(let least), .integer(let x)): return x >= least ? value : nil
    case (.flag, .flag): return value
    case (.choice(let words), .choice(let word)): return words.contains(word) ? value : nil
    case (.atLeast, _), (.flag, _), (.choice, _): return nil
    case (_, .integer(let x)): return contains(Double(x)) ? .number(Double(x)) : nil
    case (_, .number(let x)): return contains(x) ? value : nil
    default: return nil
    }
  }

  private func contains(_ x: Double) -> Bool {
    guard x.isFinite else { return false }
    switch self {
    case .positive: return x > 0
    case .nonNegative: return x >= 0
    case .halfOpen(let a, let b): return x >= a && x < b
    case .closed(let a, let b): return x >= a && x <= b
    case .atLeast, .flag, .choice: return false
    }
  }

  /// The value that the text spells, without looking at the bounds.
  func parse(_ text: String) -> SettingValue? {
    switch self {
    case .atLeast: return Int(text).map { .integer($0) }
    case .flag: return Bool(text).map { .flag($0) }
    case .choice: return .choice(text)
    default: return Double(text).map { .number($0) }
    }
  }
}

/// A hyper-parameter of an optimizer, as its record lists it.
public struct Hyperparameter: Sendable {
  /// The name in `--set name=value` and in ``Settings``.
  public let name: String
  /// What it does, in one line.
  public let meaning: String
  public let value: SettingValue
  public let range: SettingRange
  /// Where the default comes from.
  public let source: String

  /// - Precondition: the default lies in the range.
  public init(_ name: String, _ meaning: String, _ value: SettingValue, _ range: SettingRange, source: String)
  {
    self.name = name
    self.meaning = meaning
    guard let value = range.admit(value) else {
      preconditionFailure("the default \(value) of \(name) does not lie in \(range)")
    }
    self.value = value
    self.range = range
    self.source = source
  }
}
