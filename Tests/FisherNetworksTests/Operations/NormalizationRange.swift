import FisherLinearAlgebra
import FisherNetworks
import FisherTestSupport
import Testing

// Normalisations, gradients and running averages where squares or sums leave the range of the element type.

/// Numbers of several sizes whose normalised form is that of numbers near 1.
private func inputs<S: KernelScalar>(_ rows: Int, _ columns: Int, _: S.Type) -> Matrix<S> {
  var generator = Generator(seed: Seed.first)
  // All have the sign of their size: sums overflow, too.
  return Matrix(rows: rows, columns: columns) { _, _ in 0.75 + generator.uniform() / 4 }
}

private func sizes<S: KernelScalar>(_: S.Type) -> [S] {
  let largest = S.greatestFiniteMagnitude.binade
  return [largest, largest / 64, largest.squareRoot().binade * 4, 0x1p66]
}

@Test(arguments: [Layer.batchNorm, .layerNorm], [(5, 3), (40, 16), (2, 9)])
func normalisationsDoNotDependOnTheSize(layer: Layer, shape: (rows: Int, columns: Int)) throws {
  try check(Float.self)
  try check(Double.self)
  func check<S: KernelScalar>(_: S.Type) throws {
    let network = try Network<S>(
      input: [shape.columns], [layer, .linear(2)], loss: Loss<MeanReduction>.squaredError)
    let values = network.initialValues(seed: 1)
    let plain = inputs(shape.rows, shape.columns, S.self)
    let labels = Matrix<S>(rows: shape.rows, columns: 2)
    let at = { (size: S) -> (outputs: [S], gradients: [Matrix<S>]) in
      let scaled = Matrix<S>(rows: shape.rows, columns: shape.columns) { plain[$0, $1] * size }
      let workspace = network.makeWorkspace()
      var gradients = network.zeros()
      workspace.forward(values, scaled, .values(labels), mode: .training(seed: 1))
      workspace.backward(values, into: &gradients)
      return (workspace.outputs.array, gradients)
    }
    // From here on ε is nothing beside the variance.
    let expected = at(S(0x1p40))
    for size in sizes(S.self) {
      let got = at(size)
      let place = "\(layer), \(S.self), \(shape), size \(size)"
      #expect(zip(got.outputs, expected.outputs).allSatisfy { isClose($0, $1, 64) }, "\(place)")
      for (a, b) in zip(got.gradients, expected.gradients) {
        #expect(zip(a.array, b.array).allSatisfy { isClose($0, $1, 1024) }, "\(place)")
      }
    }
  }
}

private func isClose<S: KernelScalar>(_ a: S, _ b: S, _ units: S) -> Bool {
  let tolerance = units * S.ulpOfOne * (1 + abs(b))
  return abs(a - b) <= tolerance
}

/// A variance that no element can hold counts as the largest number, from which the running average comes back; evaluation
/// stays finite.
@Test func runningVariancesStayFinite() throws {
  let network = try Network<Float>(input: [2], [.batchNorm], loss: Loss<MeanReduction>.squaredError)
  let values = network.initialValues(seed: 1)
  let workspace = network.makeWorkspace()
  let labels = Matrix<Float>(rows: 4, columns: 2)
  let huge: Matrix<Float> = [[1e20, 3e38], [-1e20, -3e38], [1e20, 3e38], [-1e20, 3e38]]
  let plain: Matrix<Float> = [[1, 2], [-1, 0], [3, 1], [0, 1]]
  workspace.forward(values, huge, .values(labels), mode: .training(seed: 1))
  workspace.updateStatistics()
  #expect(workspace.statistics.allSatisfy { $0.array.allSatisfy(\.isFinite) }, "\(workspace.statistics)")
  workspace.forward(values, huge, .values(labels), mode: .evaluation)
  #expect(workspace.outputs.array.allSatisfy { $0.isFinite && $0 != 0 }, "\(workspace.outputs)")
  for _ in 0..<1200 {
    workspace.forward(values, plain, .values(labels), mode: .training(seed: 1))
    workspace.updateStatistics()
  }
  #expect(workspace.statistics[1].array.allSatisfy { $0 < 10 }, "\(workspace.statistics)")
}

/// ½·Σ (z − t)² where the squares leave the range of Float.
@Test func squaredErrorsAreSummedInDoublePrecision() throws {
  let network = try Network<Float>(
    input: [1, 1, 9], [.averagePool(1), .flatten], loss: Loss<MeanReduction>.squaredError)
  let workspace = network.makeWorkspace()
  for size: Float in [1e30, 1e-30] {
    let z = Matrix<Float>(repeating: size, rows: 1, columns: 9)
    let loss = workspace.forward([], z, .values(Matrix(rows: 1, columns: 9)), mode: .evaluation)
    let exact = 4.5 * Double(size) * Double(size)
    #expect(abs(loss / exact - 1) < 1e-15, "\(size): \(loss)")
  }
}

/// ReLU of −∞ is 0, wherever it is computed; NaN stays.
@Test(arguments: [[Layer.relu], [.averagePool(1), .relu], [.residual([.averagePool(1)]), .relu]])
func reluOfInfinityIsZero(layers: [Layer]) throws {
  let network = try Network<Float>(
    input: [1, 1, 4], layers + [.flatten], loss: Loss<MeanReduction>.squaredError)
  let workspace = network.makeWorkspace()
  workspace.forward([], [[-.infinity, -1, .nan, .infinity]], mode: .evaluation)
  let y = workspace.outputs.array
  #expect(y[0] == 0 && y[1] == 0 && y[2].isNaN && y[3] == .infinity, "\(layers): \(y)")
}
