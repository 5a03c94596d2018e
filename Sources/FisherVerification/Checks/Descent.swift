import FisherCurvature
import FisherLinearAlgebra
import FisherNetworks
import FisherOptimizers
import FisherTraining

extension Check {
  /// A problem whose solution is known and has loss 0, as it comes from a network.
  static let descendsOnLeastSquares = Check(
    name: "descends",
    meaning: "with its defaults, the method brings down a convex loss whose least value is 0"
  ) { subject in
    var problem = try LeastSquares()
    let optimizer = try subject.type.init([:])
    var driver = try OptimizerDriver<Double>(
      subject.mutation?.changed(optimizer) ?? optimizer, parameters: problem.network.parameters, threads: 1)
    let first = problem.pass(driver.needs).loss
    for _ in 0..<300 {
      let objective = problem.pass(driver.needs)
      _ = try driver.step(values: &problem.values, gradients: &problem.gradients, objective: objective)
    }
    let last = problem.pass(driver.needs).loss
    try demand(last < 0.97 * first, "the loss goes from \(short(first)) to \(short(last)) in 300 steps")
    return "loss from \(short(first)) to \(short(last)) in 300 steps"
  }
}

/// Y = X·Wᵀ + b, learnt by a linear layer from another start.
private struct LeastSquares {
  let network: Network<Double>
  let workspace: Workspace<Double>
  let X: Matrix<Double>
  let Y: Matrix<Double>
  var values: [Matrix<Double>]
  var gradients: [Matrix<Double>]

  init() throws {
    var generator = KeyedGenerator(Check.seed)
    network = try Network<Double>(input: [6], [.linear(4)], loss: Loss<MeanReduction>.squaredError)
    workspace = network.makeWorkspace(threads: 1)
    X = Matrix(rows: 24, columns: 6) { _, _ in generator.uniform() }
    let W = Matrix<Double>(rows: 4, columns: 6) { _, _ in generator.uniform() }
    Y = X.multiplied(by: W.transposed)
    values = network.initialValues(seed: 1)
    gradients = network.zeros()
  }

  /// The batch at the current weights, with what a step needs; leaves the gradients in ``gradients``.
  mutating func pass(_ needs: Needs) -> PlainObjective<Double> {
    let loss = workspace.forward(values, X, .values(Y), mode: .training(seed: 1))
    let outputs = workspace.outputGradients
    workspace.backward(values, into: &gradients, [.gradients, .captures])
    let captures = workspace.captures
    return PlainObjective(
      loss: loss, sampleCount: X.rows, captures: captures, outputGradients: outputs,
      sampled: needs.contains(.sampledLabels) ? workspace.sampledCaptures(values, seed: 7) : nil,
      exact: needs.contains(.exactFisher) ? workspace.exactFisher(values) : nil)
  }
}
