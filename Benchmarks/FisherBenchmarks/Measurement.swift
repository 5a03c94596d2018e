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

  /// The peak beside the samples: ``gflops`` over ``peakFraction``.
  var peakGflops: Double { gflops / peakFraction }
  var gflops: Double { subject.flops / seconds * 1e-9 }
  var nanosecondsPerMatrix: Double? { subject.batch.map { seconds / Double($0) * 1e9 } }

  /// Runs ours and every peer in turn, A B A B, so that a change of the machine's clock meets all of them alike.
  ///
  /// - Parameters:
  ///   - sample: the seconds that one sample should last: a call is repeated until it does.
  ///   - rounds: how many rounds are kept; one more is thrown away.
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
    var times = [[Double]](repeating: [], count: backends.count)
    var peaks: [Double] = []
    for round in 0...rounds {
      waitForQuiet()
      warmUp(threads) { _ = subject.peak(threads) }
      let peak = subject.peak(threads)
      if round > 0 { peaks.append(peak) }
      for (i, backend) in backends.enumerated() {
        waitForQuiet()
        warmUp(threads) { call(backend, threads) }
        let start = FisherBenchmarks.seconds()
        for _ in 0..<repeats[i] { call(backend, threads) }
        let time = (FisherBenchmarks.seconds() - start) / Double(repeats[i])
        if round > 0 { times[i].append(time) }
      }
    }
    self.subject = subject
    self.threads = threads
    seconds = median(times[0])
    peakFraction = median(zip(times[0], peaks).map { subject.flops / ($0 * $1) * 1e-9 })
    self.peers = peers.enumerated().map { i, peer in
      (peer, median(times[i + 1]), median(zip(times[i + 1], times[0]).map { $0 / $1 }))
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
