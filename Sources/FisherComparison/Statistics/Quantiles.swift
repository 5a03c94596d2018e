/// Order statistics of numbers that may be infinite: what was missed counts as infinite, and stays so.
package enum Quantiles {
  /// The middle of the values, or the mean of the two in the middle; NaN if there are none.
  package static func median(_ values: [Double]) -> Double {
    guard !values.isEmpty else { return .nan }
    let sorted = values.sorted()
    let half = sorted.count / 2
    return sorted.count % 2 == 1 ? sorted[half] : (sorted[half - 1] + sorted[half]) / 2
  }

  /// The least value that at least the fraction `p` of all do not exceed: the inverse of the empirical distribution.
  ///
  /// - Precondition: there are values, and 0 < p ≤ 1.
  package static func quantile(_ p: Double, of values: [Double]) -> Double {
    precondition(!values.isEmpty && p > 0 && p <= 1, "quantile \(p) of \(values.count) values")
    let sorted = values.sorted()
    return sorted[min(sorted.count, max(1, Int((p * Double(sorted.count)).rounded(.up)))) - 1]
  }
}
