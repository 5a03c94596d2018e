import FisherRuntime

/// Where numbers lie along one side of a chart.
package struct Scale {
  let low: Double
  let high: Double
  let isLogarithmic: Bool
  /// From 0 or from a power of ten, or as given.
  package let ticks: [Double]

  /// From 0 to `high`, with some four round ticks.
  package init(linearTo high: Double) {
    let high = high > 0 && high.isFinite ? high : 1
    let rough = high / 4
    let power = pow(10, floor(log10(rough)))
    let step = [1, 2, 5, 10].map { $0 * power }.first { $0 >= rough * 0.999 } ?? rough
    low = 0
    self.high = high
    isLogarithmic = false
    ticks = (0...8).map { Double($0) * step }.filter { $0 <= high * 1.001 }
  }

  /// Powers of ten, or 1, 2 and 5 times those over a short range.
  ///
  /// - Precondition: 0 < low < high.
  package init(logarithmicFrom low: Double, to high: Double) {
    precondition(low > 0 && high > low, "Scale: from \(low) to \(high)")
    self.low = low
    self.high = high
    isLogarithmic = true
    let powers = (Int(floor(log10(low)))...Int(ceil(log10(high)))).map { pow(10, Double($0)) }
    let factors: [Double] = log10(high / low) > 2.2 ? [1] : [1, 2, 5]
    let all = powers.flatMap { power in factors.map { $0 * power } }
    let inside = all.filter { $0 >= low * 0.999 && $0 <= high * 1.001 }
    // Not more than eight, evenly.
    let step = inside.count / 8 + 1
    ticks = inside.enumerated().filter { $0.offset % step == 0 }.map(\.element)
  }

  /// From 0 at the low end to 1 at the high one; what lies outside, at the end.
  package func place(_ x: Double) -> Double {
    if x.isNaN { return 1 }
    let x = min(high, max(low, x))
    return isLogarithmic ? log(x / low) / log(high / low) : (x - low) / (high - low)
  }
}
