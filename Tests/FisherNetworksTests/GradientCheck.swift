import FisherLinearAlgebra
import FisherNetworks
import FisherTestSupport

/// A network with random weights, inputs and labels, and what its gradients are by central differences.
struct GradientCheck {
  let network: Network<Double>
  let inputs: Matrix<Double>
  let labels: Labels<Double>
  var values: [Matrix<Double>]
  let seed: UInt64

  init(_ network: Network<Double>, samples: Int, seed: UInt64, labels: Labels<Double>? = nil) {
    var generator = Generator(seed: seed)
    self.network = network
    self.seed = seed
    inputs = Matrix(rows: samples, columns: network.input.count) { _, _ in generator.uniform() }
    // Norms and biases start as constants, which would hide what they do.
    values = network.initialValues(seed: seed).map { start in
      Matrix(rows: start.rows, columns: start.columns) {
        start[$0, $1] + 0.1 * (generator.uniform() as Double)
      }
    }
    let (rows, classes) = (samples * network.output.positions, network.output.features)
    let drawn = (0..<rows).map { _ in Int.random(in: 0..<classes, using: &generator) }
    self.labels = labels ?? .classes(drawn)
  }

  /// The largest difference between the gradient and (L(θ + h) − L(θ − h))/2h over the largest gradient of the
  /// parameter, for up to 40 elements of each parameter.
  func violations() -> Violations {
    var found = Violations()
    let workspace = network.makeWorkspace(threads: 1)
    var gradients = network.zeros()
    workspace.forward(values, inputs, labels)
    workspace.backward(values, into: &gradients)
    var generator = Generator(seed: seed &+ 1)
    for (p, info) in network.parameters.enumerated() {
      let scale = gradients[p].array.map(abs).max() ?? 0
      found.expect(scale > 1e-6, "\(info.summary): the gradient is about zero, seed \(seed)")
      for _ in 0..<min(40, info.count) {
        let (i, j) = (
          Int.random(in: 0..<info.rows, using: &generator),
          Int.random(in: 0..<info.columns, using: &generator)
        )
        let difference = centralDifference(workspace, p, i, j)
        let error = abs(difference - gradients[p][i, j]) / scale
        found.expect(
          error < 1e-6,
          "\(info.summary) at (\(i), \(j)): gradient \(gradients[p][i, j]), difference \(difference), seed \(seed)"
        )
      }
    }
    return found
  }

  private func centralDifference(_ workspace: Workspace<Double>, _ p: Int, _ i: Int, _ j: Int) -> Double {
    let h = 1e-5
    var moved = values
    moved[p][i, j] = values[p][i, j] + h
    let above = workspace.loss(at: moved)
    moved[p][i, j] = values[p][i, j] - h
    return (above - workspace.loss(at: moved)) / (2 * h)
  }
}
