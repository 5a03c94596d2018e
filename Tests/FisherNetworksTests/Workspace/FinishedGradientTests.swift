import FisherLinearAlgebra
import FisherNetworks
import FisherTestSupport
import Testing

/// Who is told that a gradient is complete, while the backward pass goes on.
@Suite struct FinishedGradientTests {
  /// From the last parameter to the first, each once, with the bits that it has when the pass has ended.
  private func check(
    _ network: Network<Double>, _ inputs: Matrix<Double>, _ labels: Labels<Double>, _ values: [Matrix<Double>]
  ) {
    let workspace = network.makeWorkspace(threads: 1)
    var gradients = network.zeros()
    var told: [[UInt64]] = []
    workspace.forward(values, inputs, labels, mode: .training(seed: 1))
    workspace.backward(values, into: &gradients, [.gradients, .captures]) { gradient in
      told.append(gradient.map(\.bitPattern))
    }
    #expect(told.reversed() == gradients.map { $0.array.map(\.bitPattern) })
  }

  @Test(arguments: NetworkCase.all)
  func gradientsAreCompleteWhenTold(subject: NetworkCase) throws {
    let problem = try Problem(subject, samples: 5, seed: 3)
    let network = try subject.network(Double.self)
    check(network, problem.inputs(Double.self), .classes(problem.classes), problem.values(network))
  }

  /// The table gets its first part from the last layer, and is complete only when it has been looked up.
  @Test func aTableOfTwoLayersIsToldOnce() throws {
    var generator = Generator(seed: Seed.first)
    let network = try Network<Double>(
      input: [3], [.embedding(tokens: 5, width: 4), .linear(4), .tanh, .unembedding])
    let tokens = Matrix<Double>(rows: 4, columns: 3) { _, _ in generator.integer(in: 0...4) }
    let values = network.parameters.map { info in
      Matrix<Double>(rows: info.rows, columns: info.columns) { _, _ in generator.uniform() }
    }
    check(network, tokens, .classes((0..<12).map { $0 % 5 }), values)
  }

  /// Nothing is told by a pass for captures alone.
  @Test func capturesAloneTellNothing() throws {
    let network = try Network<Double>(input: [2], [.linear(3)])
    let workspace = network.makeWorkspace(threads: 1)
    let values = network.zeros()
    var none: [Matrix<Double>] = []
    workspace.forward(
      values, Matrix(repeating: 1, rows: 2, columns: 2), .classes([0, 1]), mode: .training(seed: 1))
    workspace.backward(values, into: &none, .captures) { _ in Issue.record("a gradient of no pass") }
  }
}
