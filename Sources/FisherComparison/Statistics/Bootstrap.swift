import FisherRuntime

/// An interval of confidence; its ends may be infinite.
package struct Interval: Sendable, Equatable {
  package let low: Double
  package let high: Double

  package init(low: Double, high: Double) {
    self.low = low
    self.high = high
  }
}

/// The percentile bootstrap of a median (Efron 1979).
package enum Bootstrap {
  /// Of the medians of samples drawn with replacement, the middle part of this weight. The same seed gives the same
  /// interval.
  ///
  /// - Precondition: there are values, and 0 < confidence < 1.
  package static func interval(
    ofMedian values: [Double], confidence: Double = 0.95, resamples: Int = 2000, seed: UInt64 = 1
  ) -> Interval {
    precondition(!values.isEmpty && confidence > 0 && confidence < 1, "Bootstrap of \(values.count) values")
    var generator = KeyedGenerator(seed, UInt64(values.count))
    let medians = (0..<resamples).map { _ in
      Quantiles.median(values.map { _ in values[generator.below(values.count)] })
    }
    let tail = (1 - confidence) / 2
    return Interval(
      low: Quantiles.quantile(tail, of: medians), high: Quantiles.quantile(1 - tail, of: medians))
  }
}
