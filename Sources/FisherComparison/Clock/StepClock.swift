import FisherKit
import FisherRuntime

/// The steps of an optimizer on one batch, with a stopwatch: random examples of the workload's shape, weights that hardly
/// move.
package final class StepClock<S: KernelScalar> {
  /// The steps after which the periodic work has been done as often as the periods say.
  let cycle: Int
  private let network: Network<S>
  private let workspace: Workspace<S>
  private let inputs: Matrix<S>
  private let labels: Labels<S>
  private var values: [Matrix<S>]
  private var gradients: [Matrix<S>]
  private var driver: OptimizerDriver<S>

  /// The seconds of some steps.
  package struct Times {
    package var forward = 0.0
    package var backward = 0.0
    package var optimizer = 0.0
  }

  /// - Throws: what a network or a driver that cannot be made throws.
  package init(_ workload: Workload, _ optimizer: any Optimizer, threads: Int) throws {
    network = try workload.network(S.self)
    workspace = network.makeWorkspace(threads: threads)
    cycle = Periods.of(type(of: optimizer).record).map { optimizer.settings.integer($0) }
      .reduce(1, max)
    let data = workload.data().train
    var generator = KeyedGenerator(25)
    // Random numbers, unless they have to be tokens or places on a grid.
    let rows = data.isNormalizable ? nil : try data.rows(0..<workload.batch)
    inputs = Matrix(rows: workload.batch, columns: data.shape.count) { i, j in
      rows.map { S($0[i][j]) } ?? S(generator.unit())
    }
    switch data.targets {
    case .classes(_, let count):
      labels = .classes((0..<workload.batch * data.answers).map { _ in generator.below(count) })
    case .values(_, let width):
      labels = .values(Matrix(rows: workload.batch, columns: width) { _, _ in S(generator.unit()) })
    case .inputs: labels = .values(inputs)
    }
    values = network.initialValues(seed: 1)
    gradients = network.zeros()
    driver = try OptimizerDriver(
      optimizer, parameters: network.parameters, registry: .installed,
      clipping: type(of: optimizer).record.clipping, threads: threads)
  }

  /// Takes steps.
  ///
  /// - Throws: ``StepRefusal`` of a step that cannot be taken.
  package func steps(_ count: Int) throws(StepRefusal) -> Times {
    var times = Times()
    for _ in 0..<count {
      let start = Self.now
      workspace.forward(values, inputs, labels, mode: .training(seed: 1))
      let turned = Self.now
      let needs = driver.needs
      if needs.contains(.logitGradients) { workspace.prepareOutputGradients() }
      let outputs = needs.contains(.logitGradients) ? workspace.outputGradients : nil
      var parts: BackwardParts = needs.isDisjoint(with: .captures) ? [] : .captures
      if needs.contains(.gradients) { parts.insert(.gradients) }
      workspace.backward(values, into: &gradients, parts)
      let captures = workspace.captures
      let sampled = needs.contains(.sampledLabels) ? workspace.sampledCaptures(values, seed: 1) : nil
      let exact = needs.contains(.exactFisher) ? workspace.exactFisher(values) : nil
      let back = Self.now
      let objective = ClockedBatch(
        PlainObjective(
          loss: workspace.loss, sampleCount: workspace.termCount, captures: captures,
          outputGradients: outputs,
          sampled: sampled, exact: exact), workspace, values)
      _ = try driver.step(values: &values, gradients: &gradients, objective: objective)
      times.forward += turned - start
      times.backward += back - turned
      times.optimizer += Self.now - back
    }
    workspace.releaseBatch()
    return times
  }

  private static var now: Double {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return Double(time.tv_sec) + Double(time.tv_nsec) * 1e-9
  }
}

/// A batch of which the optimizer may ask what passes at other weights, and products of the Hessian; that counts as its own
/// time.
private final class ClockedBatch<Scalar: KernelScalar>: Objective {
  private let known: PlainObjective<Scalar>
  private let workspace: Workspace<Scalar>
  private var values: [Matrix<Scalar>]

  init(_ known: PlainObjective<Scalar>, _ workspace: Workspace<Scalar>, _ values: [Matrix<Scalar>]) {
    self.known = known
    self.workspace = workspace
    self.values = values
  }

  var loss: Double { known.loss }
  var sampleCount: Int { known.sampleCount }
  var captures: Captures<Scalar, Empirical>? { known.captures }
  var outputGradients: OutputGradients<Scalar>? { known.outputGradients }

  func sampledCaptures() throws(StepRefusal) -> Captures<Scalar, Sampled> { try known.sampledCaptures() }

  func exactFisher() throws(StepRefusal) -> ExactFisher<Scalar> { try known.exactFisher() }

  func loss(at values: [Matrix<Scalar>]) throws(StepRefusal) -> Double { workspace.loss(at: values) }

  func captures(
    at values: [String: Matrix<Scalar>]
  ) throws(StepRefusal) -> Captures<Scalar, Empirical> {
    let all = zip(workspace.network.parameters, self.values).map { values[$0.name] ?? $1 }
    return workspace.captures(at: all)
  }

  func hessianProduct(
    along direction: [String: Matrix<Scalar>]
  ) throws(StepRefusal) -> [String: Matrix<Scalar>] {
    try workspace.hessianProduct(values, along: direction)
  }

  func planningEnded() { values = [] }
}

/// The hyper-parameters that count steps from one refresh to the next.
enum Periods {
  /// By convention they end in `Period`; AdaFisher's is called `refresh`.
  static func of(_ record: OptimizerRecord) -> [String] {
    record.hyperparameters.map(\.name).filter { $0.hasSuffix("Period") || $0 == "refresh" }
  }

  /// Those after which only averages are renewed, nothing inverted.
  static func ofStatistics(_ record: OptimizerRecord) -> [String] {
    of(record).filter { $0 == "statisticsPeriod" || $0 == "refresh" }
  }
}
