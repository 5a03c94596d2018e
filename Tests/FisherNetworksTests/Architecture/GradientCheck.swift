import FisherLinearAlgebra
import FisherNetworks
import FisherTestSupport

/// Gradients against central differences of the loss.
struct GradientCheck {
  let workspace: Workspace<Double>
  let values: [Matrix<Double>]
  let inputs: Matrix<Double>
  let labels: Labels<Double>
  let mode: PassMode
  let seed: UInt64

  init(_ subject: NetworkCase, samples: Int, seed: UInt64) throws {
    let problem = try Problem(subject, samples: samples, seed: seed)
    workspace = try subject.network(Double.self).makeWorkspace(threads: 1)
    values = problem.values(workspace.network)
    inputs = problem.inputs(Double.self)
    labels = .classes(problem.classes)
    mode = subject.mode
    self.seed = seed
  }

  init(
    _ network: Network<Double>, _ values: [Matrix<Double>], _ inputs: Matrix<Double>,
    _ labels: Labels<Double>, seed: UInt64
  ) {
    workspace = network.makeWorkspace(threads: 1)
    (self.values, self.inputs, self.labels, self.seed) = (values, inputs, labels, seed)
    mode = .training(seed: 1)
  }

  /// (L(θ + h) − L(θ − h))/2h for up to 40 elements of each parameter, relative to the parameter's largest gradient.
  ///
  /// A bias in front of a batch norm has no gradient: the scale is at least a thousandth of the largest of all.
  func violations() -> Violations {
    var found = Violations()
    var gradients = workspace.network.zeros()
    // Twice: the second time the buffers hold what the first has left.
    for _ in 0..<2 {
      workspace.forward(values, inputs, labels, mode: mode)
      workspace.backward(values, into: &gradients)
    }
    let largest = gradients.map(Self.magnitude).max() ?? 0
    found.expect(largest > 1e-3, "all gradients are about zero, seed \(seed)")
    var generator = Generator(seed: seed &+ 1)
    for (p, info) in workspace.network.parameters.enumerated() {
      let scale = max(Self.magnitude(gradients[p]), 1e-3 * largest)
      for _ in 0..<min(40, info.count) {
        let i = Int.random(in: 0..<info.rows, using: &generator)
        let j = Int.random(in: 0..<info.columns, using: &generator)
        let difference = centralDifference(p, i, j)
        found.expect(
          abs(difference - gradients[p][i, j]) < 1e-6 * scale,
          "\(info.summary) at (\(i), \(j)): gradient \(gradients[p][i, j]), difference \(difference), seed \(seed)"
        )
      }
    }
    return found
  }

  private static func magnitude(_ matrix: Matrix<Double>) -> Double { matrix.array.map(abs).max() ?? 0 }

  private func centralDifference(_ p: Int, _ i: Int, _ j: Int) -> Double {
    let h = 1e-5
    var moved = values
    moved[p][i, j] = values[p][i, j] + h
    let above = workspace.loss(at: moved)
    moved[p][i, j] = values[p][i, j] - h
    return (above - workspace.loss(at: moved)) / (2 * h)
  }
}
