import FisherRuntime

/// Which steps update a factor: all of the first, then a share of e^(−decay) for every step more, down to a least one.
///
/// The number of updates up to a step is the integral of the share, rounded down; parameters take turns within it, so that no
/// step has to update all of them. The number of the step alone decides, so that a resumed run does the same.
struct UpdateShare {
  let flat: Int
  let decay: Double
  let least: Double

  /// Updates between two of which the factors of a parameter are brought to the same scale.
  static var balancePeriod: Double { 100 }

  /// ∫ share up to a step.
  private func updates(until step: Int) -> Double {
    let late = Double(step - flat)
    if late <= 0 || decay == 0 { return Double(step) }
    // Where the share becomes the least one.
    let bend = log(1 / least) / decay
    let falling = (1 - exp(-decay * min(late, bend))) / decay
    return Double(flat) + falling + (late > bend ? least * (late - bend) : 0)
  }

  private func passes(_ period: Double, _ step: Int, _ turn: Double) -> Bool {
    let (now, before) = (updates(until: step) / period + turn, updates(until: step - 1) / period + turn)
    return now.rounded(.down) > before.rounded(.down)
  }

  /// - Parameters:
  ///   - step: its number, from 1.
  ///   - turn: the parameter's place among all, in 0 ..< 1.
  func updates(step: Int, turn: Double) -> Bool { passes(1, step, turn) }

  func balances(step: Int, turn: Double) -> Bool { passes(Self.balancePeriod, step, turn) }
}
