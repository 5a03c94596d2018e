import FisherRuntime

/// What a search among settings says about the next one.
package struct TuningEffort: Sendable, Equatable {
  package let tried: Int
  /// Of those, how many met the target.
  package let met: Int

  package init(tried: Int, met: Int) {
    precondition(0...tried ~= met, "TuningEffort: \(met) of \(tried)")
    self.tried = tried
    self.met = met
  }

  /// The place of the first setting that meets the target, on average over all orders in which those that were tried
  /// could have come: (n + 1)/(k + 1). Infinite if none did.
  package var attempts: Double { met == 0 ? .infinity : Double(tried + 1) / Double(met + 1) }
}

/// How much freedom a hyper-parameter leaves.
package struct Sensitivity: Sendable, Equatable {
  /// Powers of ten from the least to the greatest value that met the target; nil if none did.
  package let decades: Double?

  /// - Parameter trials: the value of each setting, positive, and whether it met the target.
  package init(_ trials: [(value: Double, met: Bool)]) {
    let met = trials.filter(\.met).map(\.value)
    decades = met.min().map { log10((met.max() ?? $0) / $0) }
  }
}
