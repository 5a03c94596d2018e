import FisherLinearAlgebra

/// One sample of the peak and one of each backend, right after one another.
package struct Round {
  /// GFLOP/s.
  let peak: Double
  /// Seconds of one call, ours first.
  let times: [Double]
  /// Our rate over the peak.
  package let fraction: Double
  /// The least part of a sample in which the process had a core, 1 at most.
  let share: Double

  /// - Parameter flops: of one call.
  package init(peak: Double, times: [Double], flops: Double, share: Double = 1) {
    self.peak = peak
    self.times = times
    self.share = share
    fraction = flops / (times[0] * peak) * 1e-9
  }

  init(_ subject: BenchmarkCase, _ threads: Int, _ timed: [(call: () -> Void, repeats: Int)]) {
    waitForQuiet()
    warmUp(threads) { _ = subject.peak(threads) }
    let peak = subject.peak(threads)
    var share = 1.0
    let times = timed.map { call, repeats in
      waitForQuiet()
      warmUp(threads, call)
      let (start, used) = (seconds(), processorSeconds())
      for _ in 0..<repeats { call() }
      let time = seconds() - start
      share = min(share, (processorSeconds() - used) / time)
      return time / Double(repeats)
    }
    self.init(peak: peak, times: times, flops: subject.flops, share: share)
  }

  /// The rounds that count: as many quiet ones as are wanted or, if there are not so many, those with the highest peaks and the
  /// most of a core.
  ///
  /// A round is quiet if its peak was not far below the best one of the case, we were not above it, and nobody had to wait
  /// for a core: otherwise two threads shared one, or the clock has moved. What is above the peak beside it never counts as a part of it.
  ///
  /// - Returns: `peakFraction` is the median of our rate over the peak, NaN if there is nothing that it could be.
  package static func choose(
    _ wanted: Int, of all: [Round]
  ) -> (kept: [Round], peakFraction: Double, isDisturbed: Bool) {
    let best = all.map(\.peak).max() ?? 0
    let possible = all.filter { $0.fraction < mostFraction }
    let quiet = possible.filter { $0.peak > 0.9 * best && $0.share > 0.95 }
    if quiet.count >= wanted { return (quiet, median(quiet.map(\.fraction)), false) }
    let ranked = (possible.isEmpty ? all : possible).sorted { $0.peak * $0.share > $1.peak * $1.share }
    let kept = Array(ranked.prefix(wanted))
    return (kept, possible.isEmpty ? .nan : median(kept.map(\.fraction)), true)
  }

  /// The peak itself is measured to a percent or two.
  private static let mostFraction = 1.02
}
