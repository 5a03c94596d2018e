import FisherKit

/// A suite that measures steps of training, not single routines.
struct TrainingSuite: Sendable {
  let name: String
  /// The workloads that are measured unless another one is asked for.
  let workloads: [Workload]
  /// The lines for a type, `f32` or `f64`, a number of threads, and optimizers, SGD always among them.
  let measure: @Sendable (_ run: TrainingRun) -> [StepMeasurement]

  static let all = [step, optimizers]

  /// Whole steps, and the passes alone.
  static let step = TrainingSuite(name: "step", workloads: Workload.standard) { run in
    run.type == "f32" ? steps(Float.self, run) : steps(Double.self, run)
  }

  /// The optimizers' part alone: all that are registered, refreshing every step, except those that would send 784
  /// outputs backward one by one.
  static let optimizers = TrainingSuite(name: "optimizers", workloads: [.autoencoder]) { run in
    run.type == "f32" ? updates(Float.self, run) : updates(Double.self, run)
  }

  private static func steps<S: KernelScalar>(_: S.Type, _ run: TrainingRun) -> [StepMeasurement] {
    let names = (run.optimizers ?? run.workload.optimizers).filter { isMeasurable($0, run) }
    let subjects = run.workload.subjects(S.self, names, run)
    let calls = [{ subjects[0].pass() }] + subjects.map { subject in { subject.step() } }
    var peak = 0.0
    let times = timesInTurn(
      calls + [{ peak = max(peak, Peak.gflops(S.self, threads: run.threads, samples: 2)) }],
      rounds: run.isQuick ? 7 : 25)
    let flops = subjects[0].network.productFlops(samples: run.workload.batch)
    func line(_ name: String, _ seconds: Double, overSGD: Double?) -> StepMeasurement {
      StepMeasurement(
        suite: "step", run, optimizer: name, seconds: seconds, peakFraction: flops / seconds * 1e-9 / peak,
        overSGD: overSGD)
    }
    let single = calls.indices.map { i in
      line(
        i == 0 ? "passes" : subjects[i - 1].name, median(times[i]),
        overSGD: i == 0 ? nil : median(zip(times[i], times[1]).map { $0 / $1 }))
    }
    let amortised = subjects.filter { $0.cycle > 1 || $0.firstSteps > 1 }.map { subject in
      // Without periods, enough steps for what is done now and then by chance.
      let cycle = subject.cycle > 1 ? subject.cycle : 10
      subject.steps(max(cycle, subject.firstSteps))
      let times = timesInTurn(
        [{ subjects[0].steps(cycle) }, { subject.steps(cycle) }], rounds: run.isQuick ? 3 : 9)
      return line(
        subject.name + " amortised", median(times[1]) / Double(cycle),
        overSGD: median(zip(times[1], times[0]).map { $0 / $1 }))
    }
    return single + amortised
  }

  private static func updates<S: KernelScalar>(_: S.Type, _ run: TrainingRun) -> [StepMeasurement] {
    // AdaFisher also between two refreshes, which it makes in every step by default.
    let all = run.registry.names + ["adafisher:refresh=100"]
    let names = (run.optimizers ?? all).filter { isMeasurable($0, run) }
    let subjects = run.workload.subjects(S.self, names, run)
    var bandwidth = 0.0
    var traffic = [Double](repeating: 0, count: subjects.count)
    // Passes are not timed, but they leave the caches as a step would.
    var times = [[Double]](repeating: [], count: subjects.count)
    for round in 0...(run.isQuick ? 5 : 15) {
      bandwidth = max(bandwidth, Peak.bandwidth(threads: run.threads))
      for (i, subject) in subjects.enumerated() {
        subject.pass()
        traffic[i] = subject.updateTraffic
        let start = seconds()
        subject.update()
        let time = seconds() - start
        if round > 0 { times[i].append(time) }
      }
    }
    return subjects.indices.map { i in
      let seconds = median(times[i])
      return StepMeasurement(
        suite: "optimizers", run, optimizer: subjects[i].name, seconds: seconds,
        bandwidthFraction: traffic[i] / seconds * 1e-9 / bandwidth,
        overSGD: median(zip(times[i], times[0]).map { $0 / $1 }))
    }
  }

  private static func isMeasurable(_ name: String, _ run: TrainingRun) -> Bool {
    guard let optimizer = try? Workload.optimizer(name, run.registry) else { return true }
    return !type(of: optimizer).record.needs.contains(.exactFisher)
  }
}

/// What a training suite is asked for.
package struct TrainingRun: Sendable {
  let workload: Workload
  /// `f32` or `f64`.
  let type: String
  let threads: Int
  /// Where the names of optimizers are found.
  let registry: OptimizerRegistry
  /// Nil for those of the suite.
  let optimizers: [String]?
  let isQuick: Bool

  package init(
    workload: Workload, type: String, threads: Int, registry: OptimizerRegistry, optimizers: [String]?,
    isQuick: Bool
  ) {
    self.workload = workload
    self.type = type
    self.threads = threads
    self.registry = registry
    self.optimizers = optimizers
    self.isQuick = isQuick
  }
}
