import FisherCurvature
import FisherLinearAlgebra
import FisherNetworks
import FisherOptimizers
import FisherTraining

/// Half the squared error of a linear layer, Y ≈ X·Wᵀ + b, as it comes from a network.
struct LinearProblem {
  let network: Network<Double>
  let workspace: Workspace<Double>
  let X: Matrix<Double>
  let Y: Matrix<Double>
  var values: [Matrix<Double>]
  var gradients: [Matrix<Double>]

  /// Weights start at zero.
  init(X: Matrix<Double>, Y: Matrix<Double>, hasBias: Bool = false) throws {
    network = try Network<Double>(
      input: [X.columns], [.linear(Y.columns, bias: hasBias)], loss: Loss<MeanReduction>.squaredError)
    workspace = network.makeWorkspace(threads: 1)
    (self.X, self.Y) = (X, Y)
    values = network.zeros()
    gradients = network.zeros()
  }

  /// The batch at the current weights, with what a step needs; leaves the gradients in ``gradients``.
  mutating func pass(_ needs: Needs) -> PlainObjective<Double> {
    let loss = workspace.forward(values, X, .values(Y), mode: .training(seed: 1))
    let outputs = workspace.outputGradients
    workspace.backward(values, into: &gradients, [.gradients, .captures])
    let captures = workspace.captures
    let (network, X, Y, values) = (network, X, Y, values)
    return PlainObjective(
      loss: loss, sampleCount: X.rows, captures: captures, outputGradients: outputs,
      sampled: needs.contains(.sampledLabels) ? workspace.sampledCaptures(values, seed: 7) : nil,
      exact: needs.contains(.exactFisher) ? workspace.exactFisher(values) : nil,
      secondPass: { changed in
        let workspace = network.makeWorkspace(threads: 1)
        let values = zip(network.parameters, values).map { changed[$0.name] ?? $1 }
        workspace.forward(values, X, .values(Y), mode: .training(seed: 1))
        return workspace.labelledCaptures(values)
      },
      hessian: { direction in
        let workspace = network.makeWorkspace(threads: 1)
        workspace.forward(values, X, .values(Y), mode: .training(seed: 1))
        do { return try workspace.hessianProduct(values, along: direction) } catch {
          fatalError("LinearProblem: \(error)")
        }
      })
  }

  /// Takes steps.
  mutating func run(_ subject: Subject, _ settings: [String: SettingValue], steps: Int) throws {
    let optimizer = try subject.type.init(settings)
    var driver = try OptimizerDriver<Double>(
      subject.mutation?.changed(optimizer) ?? optimizer, parameters: network.parameters, threads: 1)
    for _ in 0..<steps {
      let objective = pass(driver.needs)
      _ = try driver.step(values: &values, gradients: &gradients, objective: objective)
    }
  }

  /// Δ: what the first step with α = 1 subtracts from weights of zero, and the gradient there.
  func direction(
    _ subject: Subject, _ settings: [String: SettingValue]
  ) throws -> (Δ: [Double], gradient: [Double]) {
    var problem = self
    problem.values = network.zeros()
    try problem.run(subject, settings.merging(["lr": 1]) { $1 }, steps: 1)
    let Δ = problem.values.flatMap { $0.array.map(-) }
    try demand(Δ.contains { $0 != 0 }, "\(Check.described(settings)): the first step does not move anything")
    problem.values = network.zeros()
    _ = problem.pass(.gradients)
    return (Δ, problem.gradients.flatMap(\.array))
  }
}
