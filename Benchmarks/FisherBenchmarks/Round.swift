import FisherLinearAlgebra

/// One sample of the peak and one of each backend, right after one another.
package struct Round {
  /// GFLOP/s.
  let peak: Double
  /// Seconds of one call, ours first.
  let times: [Double]
  /// Our rate over the peak.
  package let fraction: Double

  /// - Parameter flops: of one call.
  package init(peak: Double, times: [Double], flops: Double) {
    self.peak = peak
    self.times = times
    fraction = flops / (times[0] * peak) * 1e-9
  }

  init(_ subject: BenchmarkCase, _ threads: Int, _ timed: [(call: () -> Void, repeats: Int)]) {
    waitForQuiet()
    warmUp(threads) { _ = subject.peak(threads) }
    let peak = subject.peak(threads)
    let times = timed.map { call, repeats in
      waitForQuiet()
      warmUp(threads, call)
      let start = seconds()
      for _ in 0..<repeats { call() }
      return (seconds() - start) / Double(repeats)
    }
    self.init(peak: peak, times: times, flops: subject.flops)
  }

  /// The rounds that count: as many quiet ones as are wanted or, if there are not so many, those with the highest peaks.
  ///
  /// A round is quiet if neither was its peak far below the best one of the case, nor were we above it: then two threads
  /// shared a core, or the clock has moved. What is above the peak beside it never counts as a part of it.
  ///
  /// - Returns: `peakFraction` is the median of our rate over the peak, NaN if there is nothing that it could be.
  package static func choose(
    _ wanted: Int, of all: [Round]
  ) -> (kept: [Round], peakFraction: Double, isDisturbed: Bool) {
    let best = all.map(\.peak).max() ?? 0
    let possible = all.filter { $0.fraction < mostFraction }
    let quiet = possible.filter { $0.peak > 0.9 * best }
    if quiet.count >= wanted { return (quiet, median(quiet.map(\.fraction)), false) }
    let kept = Array((possible.isEmpty ? all : possible).sorted { $0.peak > $1.peak }.prefix(wanted))
    return (kept, possible.isEmpty ? .nan : median(kept.map(\.fraction)), true)
  }

  /// The peak itself is measured to a percent or two.
  private static let mostFraction = 1.02
}
