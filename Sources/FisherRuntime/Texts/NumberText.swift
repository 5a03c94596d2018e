/// A text from outside that is not the number that was wanted.
package struct NumberError: Error, Equatable, CustomStringConvertible {
  /// `'0' is not an integer of at least 1`
  package let description: String

  package init(description: String) { self.description = description }
}

/// The one way in for numbers that come as text: from the command line, schedules, models, files and the environment.
package enum NumberText {
  /// The largest count that is read from outside: sums of counts, and products of a count with a million, are integers.
  package static let most = 1_000_000_000_000

  /// An integer in a range.
  ///
  /// - Throws: ``NumberError``, for texts of any length and contents.
  package static func integer(
    _ text: some StringProtocol, from least: Int = 1, to most: Int = NumberText.most
  ) throws(NumberError) -> Int {
    if let value = Int(text), value >= least, value <= most { return value }
    // Of a far limit, only those who asked for more need to hear.
    let digits = text.drop { $0 == "+" }
    let isAbove = !digits.isEmpty && digits.allSatisfy { "0"..."9" ~= $0 } && Int(digits) ?? .max > most
    let wanted = isAbove || most < Self.most ? "from \(least) to \(most)" : "of at least \(least)"
    throw NumberError(description: "\(quoted(text)) is not an integer \(wanted)")
  }

  /// A finite number in a range.
  ///
  /// - Throws: ``NumberError``, for texts of any length and contents; also for one that is not zero, but nearer to it
  ///   than any number.
  package static func real(_ text: some StringProtocol, _ range: RealRange) throws(NumberError) -> Double {
    guard let value = Double(text), range.contains(value), value != 0 || isZero(text) else {
      throw NumberError(description: "\(quoted(text)) is not \(range)")
    }
    return value
  }

  /// Whether a text that reads as zero says so, and is no tiny number.
  private static func isZero(_ text: some StringProtocol) -> Bool {
    text.prefix { !"eEpP".contains($0) }.allSatisfy { !("1"..."9" ~= $0) }
  }
}

/// The finite numbers that a setting may be.
package enum RealRange: Sendable, Hashable, CustomStringConvertible {
  case any
  /// x > 0.
  case positive
  /// x ≥ 0.
  case nonNegative
  /// a ≤ x < b.
  case halfOpen(Double, Double)
  /// a ≤ x ≤ b.
  case closed(Double, Double)

  package func contains(_ x: Double) -> Bool {
    guard x.isFinite else { return false }
    switch self {
    case .any: return true
    case .positive: return x > 0
    case .nonNegative: return x >= 0
    case .halfOpen(let a, let b): return x >= a && x < b
    case .closed(let a, let b): return x >= a && x <= b
    }
  }

  /// `a number from 0 below 1`
  package var description: String {
    switch self {
    case .any: "a finite number"
    case .positive: "a number above 0"
    case .nonNegative: "a number of at least 0"
    case .halfOpen(let a, let b): "a number from \(shortest(a)) below \(shortest(b))"
    case .closed(let a, let b): "a number from \(shortest(a)) to \(shortest(b))"
    }
  }
}

/// A number as a person would write it: `1`, `0.5`, `1e-08`, and `nan` without a sign.
package func shortest(_ x: Double) -> String {
  if x.isNaN { return "nan" }
  return x.magnitude < 1e15 && x == x.rounded() ? "\(Int(x))" : "\(x)"
}
