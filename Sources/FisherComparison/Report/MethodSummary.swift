import FisherKit

/// What a comparison says about one method on one workload.
package struct MethodSummary: Sendable {
  package let method: Method
  /// The setting that was chosen, and the runs with it, one a seed; those that are missing are left out.
  package let setting: [String: String]
  package let outcomes: [Int: Outcome]
  /// The settings that were tried, the defaults first, with the steps to the target and the least loss.
  package let trials: [Trial]
  /// The steps of all trials together.
  package let tuningSteps: Double
  /// Seconds of a step, measured apart; nil if it was not. A placebo's are those of its method.
  package let secondsPerStep: Double?
  /// γ over that of the gradient; nil if it was not looked at.
  package let relativeγ: Double?

  package struct Trial: Sendable {
    package let setting: [String: String]
    package let steps: Double
    package let least: Double

    package init(setting: [String: String], steps: Double, least: Double) {
      self.setting = setting
      self.steps = steps
      self.least = least
    }
  }

  init(_ method: Method, _ workload: Workload, _ record: Record, _ options: ComparisonOptions) {
    self.method = method
    let settings = options.settings(of: method)
    let setting = record.chosen(settings, workload, method) ?? [:]
    self.setting = setting
    func outcome(_ setting: [String: String], _ seed: Int) -> Outcome? {
      record[Cell(workload: workload.name, method: method.name, settings: setting, seed: seed)]
    }
    outcomes = Dictionary(
      uniqueKeysWithValues: (1...options.seeds).compactMap { seed in
        outcome(setting, seed).map { (seed, $0) }
      })
    let tried = settings.compactMap { setting in outcome(setting, 0).map { (setting, $0) } }
    trials = tried.map {
      Trial(setting: $0, steps: $1.curve.steps(to: workload.target), least: $1.curve.least)
    }
    tuningSteps = tried.reduce(0) { $0 + Double($1.1.curve.steps.last ?? 0) }
    secondsPerStep = record.phases[PhaseKey(workload: workload.name, method: method.base)]?.step
    relativeγ = record.closeness[PhaseKey(workload: workload.name, method: method.name)]?.relativeγ
  }

  /// For each seed the steps to the target.
  package func steps(to target: Double) -> [Int: Double] { outcomes.mapValues { $0.curve.steps(to: target) } }

  /// How hard it is to find a setting by chance: the random ones alone.
  package var effort: TuningEffort {
    let random = trials.filter { !$0.setting.isEmpty }
    return TuningEffort(tried: random.count, met: random.count { $0.steps.isFinite })
  }

  /// The hyper-parameters that were searched.
  package var axes: [SearchSpace.Axis] { SearchSpace(method.record).axes }

  /// For each random setting the value of a hyper-parameter, and whether the target was met.
  package func values(of axis: SearchSpace.Axis) -> [(value: Double, met: Bool)] {
    trials.compactMap { trial in
      trial.setting[axis.name].flatMap(Double.init).map { ($0, trial.steps.isFinite) }
    }
  }

  /// Of the runs' least losses.
  package var medianLeast: Double { Quantiles.median(outcomes.values.map(\.curve.least)) }

  /// Why runs ended early; the first of them.
  package var firstStop: String? {
    outcomes.sorted { $0.key < $1.key }.lazy.compactMap(\.value.stopped).first
  }
}
