import FisherKit
import FisherPages

/// The tables of a workload.
enum Tables {
  static func results(_ workload: WorkloadSummary) -> Table {
    let seeds = workload.rows.map(\.summary.outcomes.count).max() ?? 0
    let base = ComparisonOptions.baseline
    return Table(
      caption:
        "\(workload.workload.name): steps and seconds to the target, medians over \(seeds) seeds with 95 % intervals; ∞ is a miss",
      heads: [
        "Method", "Met", "Steps", "ms a step", "Seconds", "Seconds over \(base)", "p, steps", "p, seconds",
        "Least loss", "γ/γ(g)", "Part of ngd's saving", "Setting",
      ],
      rows: workload.ranked.map { row in
        let summary = row.summary
        return [
          Table.Value(summary.method.name),
          Table.Value("\(row.met) of \(summary.outcomes.count)", by: Double(row.met)),
          Figure.value(row.steps, row.stepsInterval),
          Figure.value(summary.secondsPerStep.map { $0 * 1e3 }),
          Figure.value(row.seconds, row.secondsInterval), Figure.value(row.ratio),
          Figure.value(row.stepsProbability), Figure.value(row.secondsProbability),
          Figure.value(summary.medianLeast), Figure.value(summary.relativeγ),
          Figure.value(row.oracleShare),
          Table.Value(Cell.text(summary.setting)),
        ]
      })
  }

  static func tuning(_ workload: WorkloadSummary) -> Table {
    Table(
      caption:
        "\(workload.workload.name): what it takes to find a setting; attempts are those among random settings",
      heads: [
        "Method", "Steps with the defaults", "Settings that met", "Attempts", "Decades of lr",
        "Decades of damping", "Steps of the search", "Seconds of the search",
      ],
      rows: workload.ranked.map { row in
        let summary = row.summary
        func decades(_ name: (String) -> Bool) -> Double? {
          guard let axis = summary.axes.first(where: { name($0.name) }) else { return nil }
          return Sensitivity(summary.values(of: axis)).decades
        }
        return [
          Table.Value(summary.method.name),
          Figure.value(summary.trials.first { $0.setting.isEmpty }?.steps),
          Table.Value("\(summary.effort.met) of \(summary.effort.tried)", by: Double(summary.effort.met)),
          Figure.value(summary.effort.tried == 0 ? nil : summary.effort.attempts),
          Figure.value(decades { $0 == "lr" }), Figure.value(decades { $0 != "lr" }),
          Figure.value(summary.tuningSteps),
          Figure.value(summary.secondsPerStep.map { $0 * summary.tuningSteps }),
        ]
      })
  }

  /// Each placebo beside its method; nil if there are none.
  static func placebos(_ workload: WorkloadSummary) -> Table? {
    let pairs = workload.rows.filter(\.summary.method.isPlacebo).compactMap { row in
      workload.rows.first { $0.summary.method.name == row.summary.method.base }.map { (row, $0) }
    }
    if pairs.isEmpty { return nil }
    let target = workload.workload.target
    return Table(
      caption:
        "\(workload.workload.name): steps of placebos and of their methods; what curvature adds is the difference. p is not adjusted",
      heads: [
        "Placebo", "Steps", "Steps of the method", "Over the method", "p", "Least loss", "Of the method",
      ],
      rows: pairs.map { placebo, method in
        let (own, others) = (placebo.summary.steps(to: target), method.summary.steps(to: target))
        let seeds = Set(own.keys).intersection(others.keys).sorted()
        let p =
          seeds.isEmpty
          ? nil : PairedTest.probability(seeds.map { own[$0]! }, seeds.map { others[$0]! })
        let isKnown = placebo.steps.isFinite || method.steps.isFinite
        return [
          Table.Value(placebo.summary.method.name), Figure.value(placebo.steps, placebo.stepsInterval),
          Figure.value(method.steps, method.stepsInterval),
          Figure.value(isKnown ? placebo.steps / method.steps : nil), Figure.value(p),
          Figure.value(placebo.summary.medianLeast), Figure.value(method.summary.medianLeast),
        ]
      })
  }
}
