import FisherPages

extension Figure {
  /// `120 [105, ∞]`
  package static func text(_ x: Double?, _ interval: Interval?) -> String {
    guard let interval else { return text(x) }
    return "\(text(x)) [\(text(interval.low)), \(text(interval.high))]"
  }

  static func value(_ x: Double?, _ interval: Interval?) -> Table.Value {
    Table.Value(text(x, interval), by: x ?? .nan)
  }
}
