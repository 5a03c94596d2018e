import FisherKit
import FisherRuntime

/// The phases of several methods, measured in turn, apart from all training.
///
/// A time is the least of all rounds: what others do on the machine only adds to it. What cannot be told apart by the
/// periods of a method counts as its update.
enum Measurement {
  static let rounds = 9

  /// - Returns: for each method its phases; nil for a method that refuses such a step.
  static func phases(of methods: [Method], _ workload: Workload, threads: Int) throws -> [Phases?] {
    switch workload.element {
    case .f32: try phases(of: methods, workload, Float.self, threads)
    case .f64: try phases(of: methods, workload, Double.self, threads)
    }
  }

  private static func phases<S: KernelScalar>(
    of methods: [Method], _ workload: Workload, _: S.Type, _ threads: Int
  ) throws -> [Phases?] {
    let plain = try StepClock<S>(workload, SGD(lr: 1e-6), threads: threads)
    let subjects = try methods.map { try Subject<S>(workload, $0, threads: threads) }
    var passes: [StepClock<S>.Times] = []
    for round in 0...rounds {
      // The first round takes the memory, and fills the first averages.
      let times = try plain.steps(20)
      if round > 0 { passes.append(times.divided(by: 20)) }
      for subject in subjects { subject.measure(keeping: round > 0) }
    }
    let backward = passes.map(\.backward).min() ?? 0
    return subjects.map { $0.phases(forward: passes.map(\.forward).min() ?? 0, backward: backward) }
  }
}

/// A method as it is, without its inversions, and without its statistics too.
private final class Subject<S: KernelScalar> {
  private let whole: StepClock<S>
  private let withoutInversion: StepClock<S>?
  private let withoutStatistics: StepClock<S>?
  private var times: [[StepClock<S>.Times]] = [[], [], []]
  private var isRefused = false

  init(_ workload: Workload, _ method: Method, threads: Int) throws {
    let record = method.record
    /// Small steps: weights that grow would change nothing in the time, but might stop being finite.
    func clock(never periods: [String]) throws -> StepClock<S> {
      var settings = ["lr": "1e-6"]
      for name in periods { settings[name] = "1000000000" }
      return try StepClock(workload, try method.optimizer(settings), threads: threads)
    }
    let (all, statistics) = (Periods.of(record), Periods.ofStatistics(record))
    whole = try clock(never: [])
    withoutInversion =
      all.count > statistics.count ? try clock(never: all.filter { !statistics.contains($0) }) : nil
    withoutStatistics = statistics.isEmpty ? nil : try clock(never: all)
  }

  /// A cycle of each form.
  func measure(keeping: Bool) {
    if isRefused { return }
    let count = min(100, whole.cycle)
    for (i, clock) in [whole, withoutInversion, withoutStatistics].enumerated() {
      guard let clock else { continue }
      do throws(StepRefusal) {
        // Of what has no period a few steps tell more than one.
        let steps = max(count, 4)
        let time = try clock.steps(steps - steps % count)
        if keeping { times[i].append(time.divided(by: Double(steps - steps % count))) }
      } catch {
        isRefused = true
        return
      }
    }
  }

  func phases(forward: Double, backward: Double) -> Phases? {
    if isRefused { return nil }
    func least(_ i: Int, _ part: (StepClock<S>.Times) -> Double) -> Double? { times[i].map(part).min() }
    let optimizer = least(0, \.optimizer) ?? 0
    // Without forms to compare with, everything is the update.
    let still = least(1, \.optimizer) ?? optimizer
    let bare = least(2, \.optimizer) ?? still
    var phases = Phases()
    phases.forward = forward
    phases.backward = backward
    let captures = max(0, (least(0, \.backward) ?? 0) - backward)
    phases.inversion = max(0, optimizer - still)
    phases.statistics = captures + max(0, min(optimizer, still) - bare)
    phases.update = optimizer - phases.inversion - max(0, min(optimizer, still) - bare)
    let cycles = times[0].map { $0.forward + $0.backward + $0.optimizer }
    phases.disturbance = Quantiles.median(cycles) / (cycles.min() ?? 1)
    return phases
  }
}

extension StepClock.Times {
  fileprivate func divided(by count: Double) -> Self {
    Self(forward: forward / count, backward: backward / count, optimizer: optimizer / count)
  }
}
