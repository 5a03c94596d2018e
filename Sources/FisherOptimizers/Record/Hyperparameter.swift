import FisherRuntime

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
  /// An integer of at least this, and at most 10¹²: sums of such numbers are integers.
  case atLeast(Int)
  /// true or false.
  case flag
  /// One of these words.
  case choice([String])

  /// `a number from 0 below 1`
  public var description: String {
    switch self {
    case .atLeast(let least): return "an integer of at least \(least)"
    case .flag: return "true or false"
    case .choice(let words): return "one of " + words.joined(separator: ", ")
    case .positive, .nonNegative, .halfOpen, .closed: return real?.description ?? ""
    }
  }

  /// The range of a real number; nil for other values.
  var real: RealRange? {
    switch self {
    case .positive: return .positive
    case .nonNegative: return .nonNegative
    case .halfOpen(let a, let b): return .halfOpen(a, b)
    case .closed(let a, let b): return .closed(a, b)
    case .atLeast, .flag, .choice: return nil
    }
  }

  /// The value in the type of this range, or nil if it lies outside. An integer is a number too.
  func admit(_ value: SettingValue) -> SettingValue? {
    switch (self, value) {
    case (.atLeast(let least), .integer(let x)): return x >= least && x <= NumberText.most ? value : nil
    case (.flag, .flag): return value
    case (.choice(let words), .choice(let word)): return words.contains(word) ? value : nil
    case (.atLeast, _), (.flag, _), (.choice, _): return nil
    case (_, .integer(let x)): return admit(.number(Double(x)))
    case (_, .number(let x)): return real?.contains(x) == true ? value : nil
    default: return nil
    }
  }

  /// The value that a text spells, or nil if it spells none of this range.
  func parse(_ text: String) -> SettingValue? {
    switch self {
    case .atLeast(let least): return (try? NumberText.integer(text, from: least)).map { .integer($0) }
    case .flag: return Bool(text).map { .flag($0) }
    case .choice: return admit(.choice(text))
    case .positive, .nonNegative, .halfOpen, .closed:
      return real.flatMap { try? NumberText.real(text, $0) }.map { .number($0) }
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
