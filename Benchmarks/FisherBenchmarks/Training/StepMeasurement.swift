import FisherCommandLine
import FisherKit
import FisherRuntime

/// One line of the suites `step` and `optimizers`.
struct StepMeasurement {
  let suite: String
  let network: String
  let batch: Int
  let type: String
  let threads: Int
  /// An optimizer; with `amortised`, over a whole cycle of its periods, past its first steps; or `passes`, forward and
  /// backward alone.
  let optimizer: String
  /// The median.
  let seconds: Double
  /// Of the products in the forward and backward pass over the FMA peak; nil without passes.
  var peakFraction: Double?
  /// The elements of θ, g and state that an update must move over the measured memory bandwidth; nil with passes.
  var bandwidthFraction: Double?
  /// The median over the rounds of the time over that of SGD with momentum in the same round.
  var overSGD: Double?

  init(
    suite: String, _ run: TrainingRun, optimizer: String, seconds: Double, peakFraction: Double? = nil,
    bandwidthFraction: Double? = nil, overSGD: Double? = nil
  ) {
    self.suite = suite
    network = run.workload.network
    batch = run.workload.batch
    type = run.type
    threads = run.threads
    self.optimizer = optimizer
    self.seconds = seconds
    self.peakFraction = peakFraction
    self.bandwidthFraction = bandwidthFraction
    self.overSGD = overSGD
  }

  var json: JSON {
    .object([
      ("suite", .string(suite)), ("case", .string("\(optimizer) \(network)")), ("type", .string(type)),
      ("network", .string(network)), ("batch", .int(batch)), ("threads", .int(threads)),
      ("optimizer", .string(optimizer)), ("secondsPerStep", .number(seconds)),
      ("peakFraction", peakFraction.map(JSON.number) ?? .null),
      ("bandwidthFraction", bandwidthFraction.map(JSON.number) ?? .null),
      ("overSGD", overSGD.map(JSON.number) ?? .null),
    ])
  }

  static func printHead(_ workload: Workload) {
    Swift.print("\n\(workload.network), batch \(workload.batch)")
    let heads = [("type", 5), ("thr", 4), ("ms", 10), ("peak", 8), ("memory", 8), ("over SGD", 10)]
    let subject = column("suite", 12, left: true) + column("optimizer", 20, left: true)
    Swift.print(subject + heads.map { column($0.0, $0.1) }.joined())
  }

  func print() {
    func percent(_ x: Double?) -> String { column(x.map { fixed(100 * $0, 0) + " %" } ?? "", 8) }
    let subject = column(suite, 12, left: true) + column(optimizer, 20, left: true)
    let place = column(type, 5) + column("\(threads)", 4) + column(fixed(seconds * 1e3, 3), 10)
    let ratio = column(overSGD.map { fixed($0, 3) } ?? "", 10)
    Swift.print(subject + place + percent(peakFraction) + percent(bandwidthFraction) + ratio)
    Console.flush()
  }
}

/// Runs calls in turn, A B C A B C, so that a change of the machine's clock meets all of them alike.
///
/// - Returns: for each call its seconds, one a round; the first round is thrown away.
func timesInTurn(_ calls: [() -> Void], rounds: Int) -> [[Double]] {
  var times = [[Double]](repeating: [], count: calls.count)
  for round in 0...rounds {
    for (i, call) in calls.enumerated() {
      let start = seconds()
      call()
      let time = seconds() - start
      if round > 0 { times[i].append(time) }
    }
  }
  return times
}
