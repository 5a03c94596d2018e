import FisherCommandLine
import FisherKit
import FisherRuntime

/// What is compared, and how thoroughly.
package struct ComparisonOptions: Sendable {
  package var workloads: [Workload]
  package var methods: [Method]
  /// Runs of the chosen setting, with the seeds 1, 2, ….
  ///
  /// Twelve seeds that all agree tell a method from the baseline at 5 % among up to a hundred.
  package var seeds = 12
  /// Settings that are tried beside the defaults.
  package var trials = 8
  /// No run begins after so many seconds; nil for no limit.
  package var budget: Double?
  package var threads = Threads.available

  /// The method that others are tested against.
  package static let baseline = "adamw"

  package init(workloads: [Workload], methods: [Method]) {
    self.workloads = workloads
    self.methods = methods
  }
}

extension ComparisonOptions {
  /// The settings of a method that are tried, the defaults first.
  package func settings(of method: Method) -> [[String: String]] {
    let space = SearchSpace(method.record)
    return (0...trials).map { space.setting(trial: $0) }
  }

  /// The runs that try settings, each setting for all methods before the next one.
  func tuning(_ workload: Workload) -> [Cell] {
    let spaces = methods.map { ($0, settings(of: $0)) }
    return (0...trials).flatMap { trial in
      spaces.map { method, settings in
        Cell(workload: workload.name, method: method.name, settings: settings[trial], seed: 0)
      }
    }
  }
}

extension Record {
  /// The setting that met the target in the fewest steps; of several the one with the least loss, and so if none met it. A
  /// run that ended early, for another reason than its target, is worse than all that did not.
  ///
  /// - Returns: nil if nothing was tried.
  package func chosen(_ settings: [[String: String]], _ workload: Workload, _ method: Method) -> [String:
    String]?
  {
    let tried = settings.compactMap { setting in
      self[Cell(workload: workload.name, method: method.name, settings: setting, seed: 0)]
        .map { (setting, $0) }
    }
    func rank(_ outcome: Outcome) -> (Double, Int, Double) {
      (outcome.curve.steps(to: workload.target), outcome.stopped == nil ? 0 : 1, outcome.curve.least)
    }
    return tried.min { rank($0.1) < rank($1.1) }?.0
  }
}
