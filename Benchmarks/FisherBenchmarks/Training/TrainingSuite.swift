import FisherKit

/// A suite that measures steps of training, not single routines.
struct TrainingSuite: Sendable {
  let name: String
  /// The lines for a type, `f32` or `f64`, a number of threads, and optimizers, SGD always among them.
  let measure:
    @Sendable (_ type: String, _ threads: Int, _ names: [String]?, _ quick: Bool) -> [StepMeasurement]

  static let all = [step, optimizers]

  /// The classic deep autoencoder of Hinton and Salakhutdinov; ReLU, linear bottleneck and output, batch 1000.
  static let network = "autoencoder:784-1000-500-250-30-250-500-1000-784"
  static let batch = 1000

  /// Whole steps, and the passes alone.
  static let step = TrainingSuite(name: "step") { type, threads, names, quick in
    let names = (names ?? ["adam", "adafisher"]).filter(isMeasurable)
    return type == "f32"
      ? steps(Float.self, threads, names, quick) : steps(Double.self, threads, names, quick)
  }

  /// The optimizers' part alone: all that are registered, refreshing every step, except those that would send 784
  /// outputs backward one by one.
  static let optimizers = TrainingSuite(name: "optimizers") { type, threads, names, quick in
    let names = (names ?? OptimizerRegistry.builtIn.names).filter(isMeasurable)
    return type == "f32"
      ? updates(Float.self, threads, names, quick) : updates(Double.self, threads, names, quick)
  }

  private static func steps<S: KernelScalar>(_: S.Type, _ threads: Int, _ names: [String], _ quick: Bool)
    -> [StepMeasurement]
  {
    let subjects = subjects(S.self, names, threads)
    let calls = [{ subjects[0].pass() }] + subjects.map { subject in { subject.step() } }
    var peak = 0.0
    let times = timesInTurn(
      calls + [{ peak = max(peak, Peak.gflops(S.self, threads: threads, samples: 2)) }],
      rounds: quick ? 7 : 25)
    let flops = StepSubject<S>.flops(subjects[0].network, rows: batch)
    return calls.indices.map { i in
      let name = i == 0 ? "passes" : subjects[i - 1].name
      let seconds = median(times[i])
      return StepMeasurement(
        suite: "step", network: network, batch: batch, type: typeName(S.self), threads: threads,
        optimizer: name, seconds: seconds, peakFraction: flops / seconds * 1e-9 / peak,
        overSGD: i == 0 ? nil : median(zip(times[i], times[1]).map { $0 / $1 }))
    }
  }

  private static func updates<S: KernelScalar>(_: S.Type, _ threads: Int, _ names: [String], _ quick: Bool)
    -> [StepMeasurement]
  {
    let subjects = subjects(S.self, names, threads)
    var bandwidth = 0.0
    var traffic = [Double](repeating: 0, count: subjects.count)
    // Passes are not timed, but they leave the caches as a step would.
    var times = [[Double]](repeating: [], count: subjects.count)
    for round in 0...(quick ? 5 : 15) {
      bandwidth = max(bandwidth, Peak.bandwidth(threads: threads))
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
        suite: "optimizers", network: network, batch: batch, type: typeName(S.self), threads: threads,
        optimizer: subjects[i].name, seconds: seconds,
        bandwidthFraction: traffic[i] / seconds * 1e-9 / bandwidth,
        overSGD: median(zip(times[i], times[0]).map { $0 / $1 }))
    }
  }

  private static func isMeasurable(_ name: String) -> Bool {
    guard let type = try? OptimizerRegistry.builtIn.type(name) else { return true }
    return !type.record.needs.contains(.exactFisher)
  }

  private static func typeName<S: KernelScalar>(_: S.Type) -> String { S.self == Float.self ? "f32" : "f64" }

  private static func subjects<S: KernelScalar>(
    _: S.Type, _ names: [String], _ threads: Int
  ) -> [StepSubject<S>] {
    do {
      let layers = try ModelSpec(network).layers(input: [784], outputs: 784)
      let network = try Network<S>(input: [784], layers, loss: Loss<MeanReduction>.squaredError)
      var generator = KeyedGenerator(1)
      let inputs = Matrix<S>(rows: batch, columns: 784) { _, _ in S(generator.unit()) }
      let workspace = network.makeWorkspace(threads: threads)
      return try (["sgd"] + names.filter { $0 != "sgd" }).map { name in
        let type = try OptimizerRegistry.builtIn.type(name)
        // Small steps: weights that grow would change nothing in the time, but might stop being finite.
        return StepSubject(try type.init(["lr": 1e-6]), network, inputs: inputs, workspace)
      }
    } catch {
      fatalError("TrainingSuite: \(error)")
    }
  }
}
