import FisherOptimizers

/// What one step does beside its update.
struct Timetable {
  /// Only statistics are gathered: the first steps of a warm start.
  let isWarmingUp: Bool
  let updatesStatistics: Bool
  /// How much of the old statistics stays: 0 in the first update, k/(k + 1) while they are a plain average.
  let kept: Double
  let refreshesInverses: Bool

  /// - Parameter number: from 1.
  init(_ method: MiniBlockFisher, step number: Int) {
    let (warmStart, T1, T2) = (method.warmStart, method.statisticsPeriod, method.inversePeriod)
    let β = method.beta
    // From 0 in the first step that moves the weights.
    let k = number - 1 - warmStart
    isWarmingUp = k < 0
    if k < 0 {
      updatesStatistics = true
      kept = 1 - 1 / Double(number)
      refreshesInverses = false
      return
    }
    // The warm start stands for the update of its first step.
    updatesStatistics = k % T1 == 0 && !(k == 0 && warmStart > 0)
    kept = warmStart > 0 ? β : min(1 - 1 / Double(k / T1 + 1), β)
    // Early blocks change fast: until the first period is over, each update is followed by a refresh.
    refreshesInverses = k % T2 == 0 || (k < T2 && k % T1 == 0)
  }
}
