import FisherKit
import FisherRuntime

/// One run of a comparison: a workload, a method, its setting and a seed. All that decides the bits of its losses.
package struct Cell: Hashable, Sendable {
  package let workload: String
  package let method: String
  /// The hyper-parameters that are not the defaults, as texts.
  package let settings: [String: String]
  /// Of weights and order. With seed 0 settings are tried, and a run ends at its target.
  package let seed: Int

  package init(workload: String, method: String, settings: [String: String], seed: Int) {
    self.workload = workload
    self.method = method
    self.settings = settings
    self.seed = seed
  }

  package var isTuning: Bool { seed == 0 }

  /// `damping=0.1,lr=0.03`, or `defaults`.
  package var settingsText: String { Self.text(settings) }

  package static func text(_ settings: [String: String]) -> String {
    settings.isEmpty
      ? "defaults"
      : settings.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }.joined(separator: ",")
  }

  /// The name in a record: `digits-mlp/kfac/damping=0.1,lr=0.03/2`.
  package var key: String { "\(workload)/\(method)/\(settingsText)/\(seed)" }
}

/// What came out of a run.
package struct Outcome: Sendable, Equatable {
  package var curve = Curve()
  /// Why the run ended before its budget, if not at its target; nil otherwise.
  package var stopped: String?
  /// A hash of the bits of the weights at the end.
  package var weights = ""
  /// By the clock, tests and all, on a machine that may have been busy: what the comparison cost, and nothing else.
  package var seconds = 0.0

  package init() {}

  /// Whether two runs were the same, to the bit. The time does not count.
  package func hasSameBits(as other: Outcome) -> Bool { difference(from: other) == nil }

  /// The first difference between a record and what it is now; nil if there is none.
  package func difference(from now: Outcome) -> String? {
    func bits(_ x: Double) -> UInt64 { x.isNaN ? Double.nan.bitPattern : x.bitPattern }
    for i in 0..<min(curve.steps.count, now.curve.steps.count) {
      let (old, new) = (curve.losses[i], now.curve.losses[i])
      if curve.steps[i] != now.curve.steps[i] || bits(old) != bits(new) {
        return "the loss after step \(curve.steps[i]) is \(new), recorded \(old)"
      }
    }
    if curve.steps.count != now.curve.steps.count {
      return "\(now.curve.steps.count) tests, recorded \(curve.steps.count)"
    }
    if curve.accuracies != now.curve.accuracies { return "other accuracies at the same losses" }
    if stopped != now.stopped {
      return "ended by \(now.stopped ?? "its budget"), recorded \(stopped ?? "its budget")"
    }
    return weights == now.weights ? nil : "other weights at the same losses"
  }
}
