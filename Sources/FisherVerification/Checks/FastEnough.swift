import FisherCurvature
import FisherLinearAlgebra
import FisherOptimizers
import FisherTraining

extension Check {
  /// The only check that looks at a clock: the least of several steps beside a pass of the library in the same moments, and
  /// once more where a busy machine may have been the reason.
  ///
  /// What explains the time of an update of elements that know nothing of their places is the memory that it moves. For
  /// others the routines of the backend count with the time that they took, and declared flops that are not theirs as those
  /// of the pass.
  static let fastEnough = Check(
    name: "fast-enough",
    meaning: "a step takes as long as its elements at the bandwidth of a pass, and its routines, explain"
  ) { subject in
    let bound = subject.record.updatesElements ? 1.5 : 3.0
    var best = Double.infinity
    // No machine is so busy that it makes a step take ten times as long, again and again.
    for _ in 0..<4 where best > bound && (best < 10 * bound || best == .infinity) {
      best = min(best, try SpeedWorkload(subject).ratio(subject, hopeless: 10 * bound))
    }
    try demand(
      best <= bound,
      "a step takes \(short(best)) times what its declared elements and its routines explain; at most \(bound) is allowed"
    )
    return "\(short(best)) times what elements and routines explain"
  }
}

extension OptimizerRecord {
  /// Elements are updated wherever they are: the memory that they take explains the time. Of a plugin in a shared library,
  /// whose flops are not known, values and state are copied before each call.
  var updatesElements: Bool {
    invariances.contains(.elementPermutation) && cost.parts.contains { $0.flops != 0 }
  }
}

/// θ ← θ − α·m, m ← β·m + g: a pass of the library that moves five elements for each of the parameter's, with four flops.
private struct Yardstick<S: KernelScalar>: UpdateRule {
  struct State { var m: Lanes<S> }

  @inline(__always)
  func update(_ x: inout Element<S>, _ state: inout State) {
    state.m = S(0.5) * state.m + x.gradient
    x.value -= S(0.0078125) * state.m
  }
}

private struct Pass: Optimizer {
  static let record = OptimizerRecord(
    name: "pass", title: "Pass", summary: "A pass over memory.", paper: "none", hyperparameters: [],
    invariances: [], cost: Cost(flops: 4 * .P, elements: 5 * .P), stateSize: "P")

  func plan<S: KernelScalar>(_ step: inout Step<S>) throws(StepRefusal) {
    for parameter in step.parameters { step.apply(Yardstick<S>(), to: parameter) }
  }

  func reference() -> any ReferenceOptimizer { fatalError("a pass has no reference") }
}

/// A parameter beyond the second level of cache, or two dense layers.
private struct SpeedWorkload {
  let parameters: [ParameterInfo]
  private let samples = 64
  private let batch: PlainObjective<Float>
  private let values: [Matrix<Float>]
  private let gradients: [Matrix<Float>]
  private let isElementwise: Bool

  init(_ subject: Subject) {
    isElementwise = subject.record.updatesElements
    let all =
      isElementwise
      ? [ParameterInfo(name: "a.weight", shape: [1024, 1024], role: .linearWeight, layer: "a")]
      : [
        ParameterInfo(name: "a.weight", shape: [256, 192], role: .linearWeight, layer: "a"),
        ParameterInfo(name: "b.weight", shape: [128, 256], role: .linearWeight, layer: "b"),
      ]
    parameters = subject.treated(all)
    let trace = Trace(seed: Check.seed, steps: 1, parameters: parameters)
    values = trace.matrices(trace.values, Float.self)
    gradients = trace.matrices(trace.gradients[0], Float.self)
    var generator = KeyedGenerator(Check.seed)
    let recorded = RandomBatch.dense(all, samples: samples, outputs: 10).draw(&generator)
    let converted = recorded.converted(to: Float.self, needs: subject.record.needs)
    // Whatever it is asked for is there already.
    let ready = recorded.secondPass!([:]).converted(to: Float.self)
    batch = PlainObjective(
      sampleCount: samples, captures: converted.captures, outputGradients: converted.outputGradients,
      sampled: try? converted.sampledCaptures(), exact: try? converted.exactFisher(),
      secondPass: { _ in ready }, hessian: { $0 })
  }

  /// The time of a step over what explains it: the mean over a period, the least of some.
  ///
  /// - Parameter hopeless: where a second look is enough.
  func ratio(_ subject: Subject, hopeless: Double) throws -> Double {
    let optimizer = try subject.type.init(subject.costProbe)
    let period = subject.record.cost.periods.map(optimizer.settings.integer).max() ?? 1
    let declared = subject.record.cost.value(
      of: parameters, optimizer.settings, samples: samples, columns: 2)
    let backend = TimedBackend(base: NativeBackend())
    var own = try Course(
      self, subject.mutation?.changed(optimizer) ?? optimizer, backend: backend)
    var yardstick = try Course(self, Pass(), backend: NativeBackend())
    let count = Double(parameters.reduce(0) { $0 + $1.count })
    // The least of each: what others on the machine do only adds.
    var (least, pass) = (SpeedWorkload.Cost(), Double.infinity)
    var ratio: Double {
      var explained = pass * declared.elements / (5 * count) + least.routines
      if !isElementwise {
        let ownFlops = max(0, declared.flops - least.routineFlops / Double(period))
        explained += pass * ownFlops / (4 * count)
      }
      return least.seconds / explained
    }
    for look in 0..<12 where look < 2 || ratio < hopeless {
      let step = try own.steps(period)
      if step.seconds < least.seconds { least = step }
      pass = min(pass, try yardstick.steps(period).seconds)
    }
    return ratio
  }

  /// Seconds of steps, and what of them routines took.
  struct Cost {
    var seconds = Double.infinity
    var routines = 0.0
    var routineFlops = 0.0
  }

  /// Steps of one optimizer on the workload.
  struct Course {
    private let workload: SpeedWorkload
    private var driver: OptimizerDriver<Float>
    private var values: [Matrix<Float>]
    private var gradients: [Matrix<Float>]

    init(_ workload: SpeedWorkload, _ optimizer: any Optimizer, backend: any Backend) throws {
      self.workload = workload
      values = workload.values
      gradients = workload.gradients
      driver = try OptimizerDriver(
        optimizer, parameters: workload.parameters, backend: backend, threads: 1)
    }

    mutating func steps(_ count: Int) throws -> Cost {
      let before = TimeMeter.total
      let time = try ContinuousClock().measure {
        for _ in 0..<count {
          _ = try driver.step(values: &values, gradients: &gradients, objective: workload.batch)
        }
      }
      let after = TimeMeter.total
      return Cost(
        seconds: time / .seconds(1), routines: after.seconds - before.seconds,
        routineFlops: after.flops - before.flops)
    }
  }
}
