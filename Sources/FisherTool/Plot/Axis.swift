import FisherRuntime

/// Where numbers lie along one side of a chart.
package struct Axis {
  /// At both ends.
  package let low: Double
  package let high: Double
  package let ticks: [Double]
  let isLogarithmic: Bool

  /// Round numbers around `values`, four to eight ticks; at powers of two if `isLogarithmic`.
  ///
  /// - Parameter limit: where the axis ends at the latest.
  package init(_ values: [Double], isLogarithmic: Bool = false, limit: Double = .infinity) {
    self.isLogarithmic = isLogarithmic
    let (least, most) = (values.min() ?? 0, values.max() ?? 1)
    if isLogarithmic && least > 0 {
      low = least
      high = max(most, 2 * least)
      ticks = sequence(first: 1.0) { $0 * 2 }.prefix { $0 <= most }.filter { $0 >= least }
      return
    }
    let span = most > least ? most - least : max(abs(most), 1)
    let step = Self.roundStep(span / 5)
    high = min((most / step).rounded(.up) * step, max(limit, most))
    // One value alone lies at the upper end.
    let floor = (least / step).rounded(.down) * step
    low = floor < high ? floor : high - step
    let (start, stop) = (low, high)
    ticks = (0...10).map { start + Double($0) * step }.filter { $0 <= stop + step / 1000 }
  }

  /// 1, 2 or 5 times a power of ten.
  private static func roundStep(_ step: Double) -> Double {
    var power = 1.0
    while power * 10 <= step { power *= 10 }
    while power > step { power /= 10 }
    return [1, 2, 5, 10].map { $0 * power }.first { $0 >= step } ?? step
  }

  /// From 0 at the low end to 1 at the high one.
  package func position(_ value: Double) -> Double {
    if high <= low { return 0 }
    return isLogarithmic ? log(value / low) / log(high / low) : (value - low) / (high - low)
  }
}
