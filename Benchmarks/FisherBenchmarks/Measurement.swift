import FisherLinearAlgebra
import FisherTraining

/// A library that runs beside ours.
struct Peer {
  let key: String
  let backend: CBLASBackend

  /// `OpenBLAS 0.3.34 Haswell`
  var version: String { backend.version + (backend.core.map { " " + $0 } ?? "") }
}

/// The outcome of one case.
struct Measurement {
  let subject: BenchmarkCase
  let threads: Int
  /// Median seconds of one call.
  let seconds: Double
  /// The median over the rounds of our rate over the peak beside it.
  let peakFraction: Double
  /// For each peer the median seconds, and the median over the rounds of its time over ours.
  let peers: [(peer: Peer, seconds: Double, ratio: Double)]
  /// Too few rounds were quiet, however often they were repeated: see ``Round/isQuiet(_:flops:)``.
  let isDisturbed: Bool

  /// The peak beside the samples: ``gflops`` over ``peakFraction``.
  var peakGflops: Double { gflops / peakFraction }
  var gflops: Double { subject.flops / seconds * 1e-9 }
  var nanosecondsPerMatrix: Double? { subject.batch.map { seconds / Double($0) * 1e9 } }

  /// Runs ours and every peer in turn, A B A B, so that a change of the machine's clock meets all of them alike.
  ///
  /// - Parameters:
  ///   - sample: the seconds that one sample should last: a call is repeated until it does.
  ///   - rounds: how many rounds are kept; one more is thrown away, and those that were disturbed are repeated.
  init(_ subject: BenchmarkCase, threads: Int, peers: [Peer], sample: Double, rounds: Int) {
    let memory = Memory()
    let call = subject.prepare(memory)
    defer { withExtendedLifetime(memory) {} }
    let backends: [any Backend] = [NativeBackend()] + peers.map(\.backend)
    var repeats = [Int](repeating: 1, count: backends.count)
    for (i, backend) in backends.enumerated() {
      call(backend, threads)
      repeats[i] = Self.repeats(sample) { call(backend, threads) }
    }
    let timed = zip(backends, repeats).map { backend, repeats in
      (call: { call(backend, threads) }, repeats: repeats)
    }
    _ = Round(subject, threads, timed)
    var all: [Round] = []
    var quiet: [Round] = []
    while quiet.count < rounds && all.count < 3 * rounds {
      all.append(Round(subject, threads, timed))
      let best = all.map(\.peak).max() ?? 0
      quiet = all.filter { $0.isQuiet(best, flops: subject.flops) }
    }
    isDisturbed = quiet.count < rounds
    let kept = isDisturbed ? Array(all.sorted { $0.peak > $1.peak }.prefix(rounds)) : quiet
    self.subject = subject
    self.threads = threads
    seconds = median(kept.map { $0.times[0] })
    peakFraction = median(kept.map { $0.fraction(subject.flops) })
    self.peers = peers.enumerated().map { i, peer in
      (peer, median(kept.map { $0.times[i + 1] }), median(kept.map { $0.times[i + 1] / $0.times[0] }))
    }
  }

  /// How often a call must be repeated to last `sample` seconds.
  private static func repeats(_ sample: Double, _ call: () -> Void) -> Int {
    var count = 1
    while true {
      let start = FisherBenchmarks.seconds()
      for _ in 0..<count { call() }
      let time = FisherBenchmarks.seconds() - start
      if time > sample / 4 { return max(1, Int((Double(count) * sample / time).rounded(.up))) }
      count *= 2
    }
  }

  /// The object of docs/benchmarks.md.
  var json: JSON {
    .object(
      [("suite", .string(subject.suite)), ("case", .string(subject.name)), ("type", .string(subject.type))]
        + subject.sizes.map { ($0.0, .int($0.1)) }
        + (nanosecondsPerMatrix.map { [("batch", .int(subject.batch!)), ("nsPerMatrix", .number($0))] } ?? [])
        + (subject.peersDo.map { [("peersDo", .string($0))] } ?? [])
        + [
          ("threads", .int(threads)), ("gflops", .number(gflops)), ("seconds", .number(seconds)),
          ("peakGflops", .number(peakGflops)), ("peakFraction", .number(peakFraction)),
          ("disturbed", .bool(isDisturbed)),
          (
            "peers",
            .object(
              peers.map { peer, seconds, _ in
                (
                  peer.key,
                  .object([
                    ("gflops", .number(subject.flops / seconds * 1e-9)), ("seconds", .number(seconds)),
                    ("version", .string(peer.version)),
                  ])
                )
              })
          ), ("ratio", .object(peers.map { ($0.peer.key, .number($0.ratio)) })),
        ])
  }
}

/// One sample of the peak and one of each backend, right after one another.
private struct Round {
  /// GFLOP/s.
  let peak: Double
  /// Seconds of one call, ours first.
  let times: [Double]

  init(_ subject: BenchmarkCase, _ threads: Int, _ timed: [(call: () -> Void, repeats: Int)]) {
    waitForQuiet()
    warmUp(threads) { _ = subject.peak(threads) }
    peak = subject.peak(threads)
    times = timed.map { call, repeats in
      waitForQuiet()
      warmUp(threads, call)
      let start = seconds()
      for _ in 0..<repeats { call() }
      return (seconds() - start) / Double(repeats)
    }
  }

  /// Our rate over the peak.
  func fraction(_ flops: Double) -> Double { flops / (times[0] * peak) * 1e-9 }

  /// Neither was the peak far below the best one of the case, nor were we above it: then two threads shared a core, or
  /// the clock has moved.
  func isQuiet(_ best: Double, flops: Double) -> Bool { peak > 0.9 * best && fraction(flops) < 1.02 }
}
