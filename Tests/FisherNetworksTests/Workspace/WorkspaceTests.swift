import FisherCurvature
import FisherLinearAlgebra
import FisherNetworks
import FisherRuntime
import FisherTestSupport
import Testing

@Test func parametersHaveNamesRolesAndLayers() throws {
  let network = try Network<Float>(
    input: [1, 4, 4],
    [.convolution(2, size: 3, padding: 1), .residual([.batchNorm]), .flatten, .linear(3, bias: false)])
  #expect(
    network.parameters.map(\.summary) == [
      "layers.0.weight 2×1×3×3", "layers.0.bias 2", "layers.1.body.0.weight 2", "layers.1.body.0.bias 2",
      "layers.3.weight 3×32",
    ])
  #expect(
    network.parameters.map(\.role) == [.convolutionWeight, .bias, .normScale, .normShift, .linearWeight])
  #expect(network.parameters[2].layer == "layers.1.body.0")
  #expect(network.statisticNames == ["layers.1.body.0.runningMean", "layers.1.body.0.runningVariance"])
}

@Test func layersThatCannotFollowAreNamed() {
  #expect(throws: NetworkError.self) { try Network<Float>(input: [1, 4, 4], [.linear(3)]) }
  #expect(throws: NetworkError.self) { try Network<Float>(input: [4], [.linear(3), .maxPool(2)]) }
  #expect(throws: NetworkError.self) { try Network<Float>(input: [4], [.residual([.linear(3)])]) }
  #expect(throws: NetworkError.self) { try Network<Float>(input: [4], []) }
}

/// The captures of linear layers make the gradients: dW = sᵀ·h, db = Σ s.
@Test func capturesMakeTheGradients() throws {
  let subject = NetworkCase.all[0]
  let problem = try Problem(subject, samples: 6, seed: 1)
  let network = try subject.network(Double.self)
  let workspace = network.makeWorkspace()
  let values = problem.values(network)
  var gradients = network.zeros()
  workspace.forward(values, problem.inputs(Double.self), .classes(problem.classes), mode: .training(seed: 1))
  #expect(workspace.captures == nil)
  workspace.backward(values, into: &gradients, [.gradients, .captures])
  let captures = try #require(workspace.captures)
  // Another pass on the same batch does not change what was captured.
  let sampled = workspace.sampledCaptures(values, seed: 9)
  let again = workspace.sampledCaptures(values, seed: 9)
  for (name, layer) in captures.layers {
    #expect(workspace.captures?.layers[name]?.outputGradients.values == layer.outputGradients.values)
  }
  #expect(Set(captures.layers.keys) == ["layers.0", "layers.2", "layers.5"])
  for (info, gradient) in zip(network.parameters, gradients) where info.role == .linearWeight {
    let capture = try #require(captures.layers[info.layer!])
    let s = capture.outputGradients.values
    #expect(s.transposed.multiplied(by: capture.inputs) == gradient)
    #expect(capture.outputGradients.scaleToSum == 6)
    #expect(sampled.layers[info.layer!]!.outputGradients.values != s)
    #expect(
      sampled.layers[info.layer!]!.outputGradients.values == again.layers[info.layer!]!.outputGradients.values
    )
  }
}

/// The mean gradient of the outputs over drawn labels is zero: E[softmax − onehot] = 0, within five deviations.
@Test func drawnLabelsComeFromTheModel() throws {
  let network = try Network<Double>(input: [3], [.linear(4)])
  let workspace = network.makeWorkspace()
  let values = network.initialValues(seed: 4)
  let n = 40_000
  workspace.forward(values, Matrix(repeating: 0.5, rows: n, columns: 3), mode: .training(seed: 1))
  let s = workspace.sampledCaptures(values, seed: 7).layers["layers.0"]!.outputGradients
  for j in 0..<4 {
    let mean = (0..<n).reduce(0) { $0 + s.values[$1, j] * s.scaleToSum } / Double(n)
    #expect(abs(mean) < 5 * 0.5 / Double(n).squareRoot())
  }
}

@Test func runningStatisticsFollowTheBatches() throws {
  let network = try Network<Double>(input: [2, 3, 1], [.batchNorm, .flatten, .linear(2)])
  let workspace = network.makeWorkspace()
  let values = network.initialValues(seed: 1)
  let batch: Matrix<Double> = [[1, 2, 3, 0, 0, 6], [4, 5, 9, 0, 0, 0]]
  workspace.forward(values, batch, .classes([0, 1]), mode: .training(seed: 1))
  #expect(workspace.statistics.map(\.array) == [[0, 0], [1, 1]])
  workspace.updateStatistics()
  let (mean, variance) = (24.0 / 6, (9 + 4 + 1 + 0 + 1 + 25) / 5.0)
  #expect(abs(workspace.statistics[0][0, 0] - 0.1 * mean) < 1e-15)
  #expect(abs(workspace.statistics[1][0, 0] - (0.9 + 0.1 * variance)) < 1e-14)
  let before = workspace.statistics.map(\.array)
  workspace.forward(values, batch, .classes([0, 1]), mode: .evaluation)
  workspace.updateStatistics()
  #expect(workspace.statistics.map(\.array) == before)
}

@Test func masksFollowTheSeed() throws {
  let network = try Network<Float>(
    input: [100], [.linear(100, bias: false), .dropout(0.3)], loss: Loss<MeanReduction>.squaredError)
  let workspace = network.makeWorkspace()
  let identity = [Matrix<Float>(identity: 100)]
  let ones = Matrix<Float>(repeating: 1, rows: 50, columns: 100)
  func outputs(_ mode: PassMode) -> [Float] {
    workspace.forward(identity, ones, mode: mode)
    return workspace.outputs.array
  }
  let first = outputs(.training(seed: 1))
  #expect(Set(first) == [0, 1 / 0.7])
  #expect(abs(Double(first.count { $0 == 0 }) / 5000 - 0.3) < 5 * (0.21 / 5000).squareRoot())
  #expect(outputs(.training(seed: 1)) == first)
  #expect(outputs(.training(seed: 2)) != first)
  #expect(outputs(.evaluation) == ones.array)
}

/// Weights of samples in the backward pass: the gradient of Σ wᵢ·lossᵢ.
@Test func rowsCanBeWeighted() throws {
  let subject = NetworkCase.all[2]
  let problem = try Problem(subject, samples: 3, seed: 1)
  let network = try subject.network(Double.self)
  let workspace = network.makeWorkspace()
  let values = problem.values(network)
  let inputs = problem.inputs(Double.self)
  var (weighted, single) = (network.zeros(), network.zeros())
  workspace.forward(values, inputs, .classes(problem.classes), mode: .training(seed: 1))
  var rows = workspace.outputGradients!.values
  for j in 0..<3 { (rows[0, j], rows[1, j], rows[2, j]) = (0, 3 * rows[1, j], 0) }
  workspace.backward(values, from: rows, into: &weighted)
  // Three terms in the mean, and a weight of three.
  workspace.forward(values, inputs.row(1), .classes([problem.classes[1]]), mode: .training(seed: 1))
  workspace.backward(values, into: &single)
  for (a, b) in zip(weighted, single) { #expect(error(a.array, b.array) < 1e-13) }
}

@Test func otherWeightsLeaveThePassAlone() throws {
  let subject = NetworkCase.all[13]
  let problem = try Problem(subject, samples: 4, seed: 1)
  let network = try subject.network(Double.self)
  let workspace = network.makeWorkspace()
  let values = problem.values(network)
  var (plain, after) = (network.zeros(), network.zeros())
  let loss = workspace.forward(
    values, problem.inputs(Double.self), .classes(problem.classes), mode: .training(seed: 1))
  workspace.backward(values, into: &plain)
  workspace.forward(values, problem.inputs(Double.self), .classes(problem.classes), mode: .training(seed: 1))
  #expect(workspace.loss(at: values) == loss)
  #expect(workspace.loss(at: network.zeros()) != loss)
  workspace.backward(values, into: &after)
  #expect(after == plain)
}
