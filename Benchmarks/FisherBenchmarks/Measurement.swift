import FisherLinearAlgebra
import FisherTraining

/// The outcome of one case.
package struct Measurement {
  let subject: BenchmarkCase
  let threads: Int
  /// Median seconds of one call.
  let seconds: Double
  /// The median over the rounds of our rate over the peak beside it; NaN if we seemed to be above it in every one.
  let peakFraction: Double
  /// For each peer the median seconds, and the median over the rounds of its time over ours.
  let peers: [(peer: Peer, seconds: Double, ratio: Double)]
  /// Too few rounds were quiet, however often they were repeated: see ``Round``.
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
    var chosen = Round.choose(rounds, of: all)
    while chosen.isDisturbed && all.count < 3 * rounds {
      all.append(Round(subject, threads, timed))
      chosen = Round.choose(rounds, of: all)
    }
    isDisturbed = chosen.isDisturbed
    let kept = chosen.kept
    self.subject = subject
    self.threads = threads
    seconds = median(kept.map { $0.times[0] })
    peakFraction = chosen.peakFraction
    self.peers = peers.enumerated().map { i, peer in
      (peer, median(kept.map { $0.times[i + 1] }), median(kept.map { $0.times[i + 1] / $0.times[0] }))
    }
  }

  /// How often a call must be repeated to last `sample` seconds.
  static func repeats(_ sample: Double, _ call: () -> Void) -> Int {
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
