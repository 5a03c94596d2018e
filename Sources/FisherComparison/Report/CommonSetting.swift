import FisherKit
import FisherPages
import FisherRuntime

/// How far one setting goes on all workloads: a method whose setting need not be looked for anew is worth more.
package struct CommonSetting: Sendable, Equatable {
  /// A setting that was tried on every workload.
  package struct Score: Sendable, Equatable {
    package let setting: [String: String]
    /// The workloads whose target it met.
    package let met: Int
    /// The geometric mean of the steps, where a miss counts as twice the steps of a run.
    package let steps: Double
  }

  package let method: String
  package let defaults: Score
  /// The one with the fewest steps, perhaps the defaults.
  package let best: Score

  /// - Parameter trials: the tried settings of the method, for each workload.
  /// - Returns: nil if the defaults were not tried on every workload.
  package init?(method: String, _ trials: [(workload: Workload, tried: [MethodSummary.Trial])]) {
    let scores = (trials.first?.tried ?? []).compactMap { first -> Score? in
      let found = trials.compactMap { workload, tried in
        tried.first { $0.setting == first.setting }.map { ($0.steps, Double(2 * workload.budget)) }
      }
      if found.count < trials.count { return nil }
      // A target that is met before the first step takes one.
      let logarithms = found.map { steps, miss in log(max(1, steps.isFinite ? steps : miss)) }
      return Score(
        setting: first.setting, met: found.count { $0.0.isFinite },
        steps: exp(logarithms.reduce(0, +) / Double(found.count)))
    }
    guard let defaults = scores.first(where: \.setting.isEmpty),
      let best = scores.min(by: { $0.steps < $1.steps })
    else { return nil }
    self.method = method
    self.defaults = defaults
    self.best = best
  }

  /// For each method, from the fewest steps on; nil for a single workload.
  static func table(_ workloads: [WorkloadSummary]) -> Table? {
    guard workloads.count > 1, let first = workloads.first else { return nil }
    let methods = first.rows.map(\.summary.method).filter { !$0.isPlacebo }
    let found = methods.compactMap { method in
      CommonSetting(
        method: method.name,
        workloads.compactMap { workload in
          workload.rows.first { $0.summary.method == method }.map { (workload.workload, $0.summary.trials) }
        })
    }
    if found.isEmpty { return nil }
    return Table(
      caption:
        "One setting for all \(workloads.count) workloads, on the seed of the search: geometric means of the steps, a miss "
        + "counts as twice the steps of a run",
      heads: [
        "Method", "Targets met with the defaults", "Steps", "Targets met with the best common setting",
        "Steps with it", "Setting",
      ],
      rows: found.sorted { $0.best.steps < $1.best.steps }.map { common in
        [
          Table.Value(common.method),
          Table.Value("\(common.defaults.met)", by: Double(common.defaults.met)),
          Figure.value(common.defaults.steps),
          Table.Value("\(common.best.met)", by: Double(common.best.met)), Figure.value(common.best.steps),
          Table.Value(Cell.text(common.best.setting)),
        ]
      })
  }
}
