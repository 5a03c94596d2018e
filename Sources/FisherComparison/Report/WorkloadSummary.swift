import FisherKit

/// What a comparison says about one workload.
package struct WorkloadSummary: Sendable {
  package let workload: Workload
  package let rows: [Row]
  /// The measurements of methods that are no placebos.
  let phases: [(method: String, phases: Phases)]

  /// A method with its numbers beside those of the baseline.
  package struct Row: Sendable {
    package let summary: MethodSummary
    /// Medians over the seeds with their intervals, 95 %; infinite for misses.
    package let steps: Double
    package let stepsInterval: Interval?
    package let seconds: Double?
    package let secondsInterval: Interval?
    package let met: Int
    /// The median of seconds over that of the baseline; nil if it is the baseline or one was not measured.
    package let ratio: Double?
    /// Of equality with the baseline over the seeds, adjusted for the number of methods; nil for the baseline itself and for placebos.
    package var stepsProbability: Double?
    package var secondsProbability: Double?
    /// Of the steps that the natural gradient saves over SGD, the part that this method saves.
    package let oracleShare: Double?
  }

  init(_ workload: Workload, _ record: Record, _ options: ComparisonOptions) {
    self.workload = workload
    phases = options.methods.filter { !$0.isPlacebo }.compactMap { method in
      record.phases[PhaseKey(workload: workload.name, method: method.name)].map { (method.name, $0) }
    }
    let summaries = options.methods.map { MethodSummary($0, workload, record, options) }
    let base = summaries.first { $0.method.name == ComparisonOptions.baseline }
    func median(_ name: String) -> Double? {
      guard let found = summaries.first(where: { $0.method.name == name }), !found.outcomes.isEmpty else {
        return nil
      }
      return Quantiles.median(Array(found.steps(to: workload.target).values))
    }
    let (plain, oracle) = (median("sgd"), median("ngd"))
    var rows = summaries.map { summary -> Row in
      let steps = summary.steps(to: workload.target).sorted { $0.key < $1.key }.map(\.value)
      let middle = Quantiles.median(steps)
      let interval = steps.isEmpty ? nil : Bootstrap.interval(ofMedian: steps)
      let time = summary.secondsPerStep
      let baseMedian = base.flatMap { base in
        base.secondsPerStep.map { $0 * Quantiles.median(Array(base.steps(to: workload.target).values)) }
      }
      var ratio: Double?
      if let time, let baseMedian, summary.method != base?.method, !steps.isEmpty {
        ratio = middle.isFinite || baseMedian.isFinite ? time * middle / baseMedian : nil
      }
      var share: Double?
      if let plain, let oracle, plain.isFinite, oracle < plain, middle.isFinite {
        share = (plain - middle) / (plain - oracle)
      }
      return Row(
        summary: summary, steps: middle, stepsInterval: interval, seconds: time.map { $0 * middle },
        secondsInterval: time.flatMap { time in
          interval.map { Interval(low: time * $0.low, high: time * $0.high) }
        }, met: steps.count(where: \.isFinite), ratio: ratio, oracleShare: share)
    }
    Self.test(&rows, against: base, workload)
    self.rows = rows
  }

  /// Pairs of seeds that both have finished. The family of the adjustment is that of the methods: placebos are no claims
  /// against the baseline, and have none.
  private static func test(_ rows: inout [Row], against base: MethodSummary?, _ workload: Workload) {
    guard let base else { return }
    let own = base.steps(to: workload.target)
    let others = rows.indices.filter { i in
      let method = rows[i].summary.method
      return method != base.method && !method.isPlacebo
        && !Set(rows[i].summary.outcomes.keys).isDisjoint(with: own.keys)
    }
    func probabilities(_ a: (MethodSummary) -> Double?) -> [Double?] {
      let raw = others.map { i -> Double? in
        guard let time = a(rows[i].summary), let baseTime = a(base) else { return nil }
        let steps = rows[i].summary.steps(to: workload.target)
        let seeds = Set(steps.keys).intersection(own.keys).sorted()
        return PairedTest.probability(seeds.map { time * steps[$0]! }, seeds.map { baseTime * own[$0]! })
      }
      var adjusted = PairedTest.holm(raw.compactMap(\.self))[...]
      return raw.map { $0 == nil ? nil : adjusted.removeFirst() }
    }
    let (steps, seconds) = (probabilities { _ in 1 }, probabilities(\.secondsPerStep))
    for (place, i) in others.enumerated() {
      rows[i].stepsProbability = steps[place]
      rows[i].secondsProbability = seconds[place]
    }
  }

  /// From the fastest to the target; those that never reached it behind, by their least loss.
  package var ranked: [Row] {
    func key(_ row: Row) -> (Double, Double, Double) {
      let least = row.summary.medianLeast
      return (
        row.seconds ?? .infinity, row.steps.isNaN ? .infinity : row.steps, least.isNaN ? .infinity : least
      )
    }
    return rows.sorted { key($0) < key($1) }
  }
}
