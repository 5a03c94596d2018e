/// What a step does beside its update, in a method that averages statistics and computes something from them now and
/// then: inverses, roots, bases.
///
/// The number of the step alone decides, so that a resumed run does the same.
public struct RefreshPlan: Sendable {
  /// The statistics are updated in this step: in steps 1, 1 + T₁, 1 + 2·T₁ …
  public let updatesStatistics: Bool
  /// How much of the old statistics stays in such a step: update k keeps min(1 − 1/k, β), so that the first overwrites
  /// and early ones are plain averages (Martens & Grosse 2015, section 5).
  public let kept: Double
  /// From 0.
  private let step: Int
  private let period: Int
  private let isEarly: Bool

  /// - Parameters:
  ///   - number: of the step, from 1.
  ///   - statisticsPeriod: T₁, at least 1.
  ///   - refreshPeriod: T₂, at least 1.
  ///   - β: the most that stays, at most 1.
  public init(step number: Int, statisticsPeriod: Int, refreshPeriod: Int, keeping β: Double) {
    step = number - 1
    period = refreshPeriod
    updatesStatistics = step % statisticsPeriod == 0
    kept = min(1 - 1 / Double(step / statisticsPeriod + 1), β)
    // Early statistics change fast: the first three are followed at once.
    isEarly = updatesStatistics && step / statisticsPeriod < 3
  }

  /// Whether layer `index` of `count` is refreshed in this step: once in T₂ steps, the layers in turn so that no step is
  /// much longer than the others, and all of them with the first three updates of the statistics.
  public func refreshes(_ index: Int, of count: Int) -> Bool {
    isEarly || step % period == index * period / max(1, count) % period
  }

  /// Those of the layers that are refreshed in this step.
  public func refreshed<Layer>(_ layers: [Layer]) -> [Layer] {
    layers.indices.filter { refreshes($0, of: layers.count) }.map { layers[$0] }
  }
}
