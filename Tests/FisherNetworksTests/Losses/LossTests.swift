import FisherLinearAlgebra
import FisherNetworks
import FisherTestSupport
import Foundation
import Testing

/// A loss on the outputs z of a linear layer, and what it is by definition.
private struct LossCase: Sendable {
  let name: String
  let loss: Loss<MeanReduction>
  /// The loss of a row from its outputs and labels.
  let definition: @Sendable ([Double], [Double]) -> Double

  static func logSum(_ z: [Double]) -> Double { log(z.reduce(0) { $0 + exp($1) }) }

  static let all = [
    LossCase(name: "softmax cross-entropy", loss: .softmaxCrossEntropy()) { z, q in
      zip(q, z).reduce(0) { $0 + $1.0 * (logSum(z) - $1.1) }
    },
    LossCase(name: "binary cross-entropy", loss: .binaryCrossEntropy) { z, t in
      zip(t, z).reduce(0) { $0 - $1.0 * log(1 / (1 + exp(-$1.1))) - (1 - $1.0) * log(1 / (1 + exp($1.1))) }
    },
    LossCase(name: "squared error", loss: .squaredError) { z, t in
      zip(t, z).reduce(0) { $0 + 0.5 * ($1.1 - $1.0) * ($1.1 - $1.0) }
    },
  ]
}

@Test(arguments: [1, 2, 7, 130]) func lossesMatchTheirDefinition(samples: Int) throws {
  for subject in LossCase.all {
    var generator = Generator(seed: Seed.first)
    let network = try Network<Double>(input: [5], [.linear(9)], loss: subject.loss)
    let values = network.initialValues(seed: 1).map { w in
      Matrix(rows: w.rows, columns: w.columns) { 4 * w[$0, $1] }
    }
    let inputs = Matrix<Double>(rows: samples, columns: 5) { _, _ in generator.uniform() }
    let labels = Matrix<Double>(rows: samples, columns: 9) { _, _ in abs(generator.uniform() as Double) }
    let workspace = network.makeWorkspace()
    let loss = workspace.forward(values, inputs, .values(labels), mode: .training(seed: 1))
    let expected =
      (0..<samples).reduce(0) {
        $0 + subject.definition(workspace.outputs.row($1).array, labels.row($1).array)
      } / Double(samples)
    #expect(abs(loss - expected) < 1e-13 * abs(expected), "\(subject.name)")
    let check = GradientCheck(network, values, inputs, .values(labels), seed: Seed.first)
    #expect(check.violations().isEmpty, "\(subject.name): \(check.violations())")
  }
}

@Test(arguments: [0, 0.1]) func classesAreDistributions(smoothing: Double) throws {
  let network = try Network<Double>(
    input: [2], [.linear(4)], loss: Loss<MeanReduction>.softmaxCrossEntropy(labelSmoothing: smoothing))
  let values = network.initialValues(seed: 1)
  let inputs: Matrix<Double> = [[1, -1], [0.5, 2], [3, 3]]
  let workspace = network.makeWorkspace()
  let q = Matrix<Double>(rows: 3, columns: 4) { i, j in smoothing / 4 + (j == i ? 1 - smoothing : 0) }
  let classes = workspace.forward(values, inputs, .classes([0, 1, 2]), mode: .training(seed: 1))
  let gradient = workspace.outputGradients!.values.array
  let plain = try Network<Double>(input: [2], [.linear(4)]).makeWorkspace()
  let soft = plain.forward(values, inputs, .values(q), mode: .training(seed: 1))
  #expect(abs(classes - soft) < 1e-14)
  #expect(error(plain.outputGradients!.values.array, gradient) < 1e-14)
}

/// ε smooths soft labels as it does classes: the loss is that of (1 − ε)·q + ε·Σq/classes.
@Test func softLabelsAreSmoothed() throws {
  let ε = 0.3
  var generator = Generator(seed: Seed.first)
  func network(_ smoothing: Double) throws -> Network<Double> {
    try Network<Double>(
      input: [2], [.linear(4)], loss: Loss<MeanReduction>.softmaxCrossEntropy(labelSmoothing: smoothing))
  }
  let values = try network(0).initialValues(seed: 1)
  let inputs: Matrix<Double> = [[1, -1], [0.5, 2], [3, 3]]
  let q = Matrix<Double>(rows: 3, columns: 4) { _, _ in abs(generator.uniform() as Double) }
  let smooth = Matrix<Double>(rows: 3, columns: 4) { i, j in
    (1 - ε) * q[i, j] + ε * q.row(i).array.reduce(0, +) / 4
  }
  let (a, b) = (try network(ε).makeWorkspace(), try network(0).makeWorkspace())
  let loss = a.forward(values, inputs, .values(q), mode: .training(seed: 1))
  let expected = b.forward(values, inputs, .values(smooth), mode: .training(seed: 1))
  #expect(abs(loss - expected) < 1e-14 * expected)
  #expect(error(a.outputGradients!.values.array, b.outputGradients!.values.array) < 1e-14)
  let hard = b.forward(values, inputs, .values(q), mode: .training(seed: 1))
  #expect(abs(loss - hard) > 1e-3 * expected)
  let oneHot = Matrix<Double>(rows: 3, columns: 4) { i, j in i == j ? 1 : 0 }
  let soft = a.forward(values, inputs, .values(oneHot), mode: .training(seed: 1))
  #expect(abs(soft - a.forward(values, inputs, .classes([0, 1, 2]), mode: .training(seed: 1))) < 1e-14)
}

@Test func theSumIsTheMeanTimesTheTerms() throws {
  let layers: [Layer] = [.linear(4), .tanh, .linear(3)]
  let mean = try Network<Double>(input: [2], layers, loss: Loss<MeanReduction>.softmaxCrossEntropy())
  let sum = try Network<Double>(input: [2], layers, loss: Loss<SumReduction>.softmaxCrossEntropy())
  let values = mean.initialValues(seed: 1)
  let inputs: Matrix<Double> = [[1, -1], [0.5, 2], [3, 3]]
  let (a, b) = (mean.makeWorkspace(), sum.makeWorkspace())
  let losses = (
    a.forward(values, inputs, .classes([0, 1, 2]), mode: .training(seed: 1)),
    b.forward(values, inputs, .classes([0, 1, 2]), mode: .training(seed: 1))
  )
  #expect(abs(losses.1 - 3 * losses.0) < 1e-14)
  let (s, m) = (b.outputGradients!, a.outputGradients!)
  #expect(s.scaleToSum == 1 && m.scaleToMean == 1)
  #expect(error(s.values.array.map { $0 * s.scaleToMean }, m.values.array) < 1e-14)
}

/// Large outputs neither overflow nor lose the small probabilities.
@Test func extremeOutputsStayFinite() throws {
  for (subject, expected) in zip(LossCase.all, [200.0, 200.0]) {
    let network = try Network<Float>(input: [2], [.linear(2, bias: false)], loss: subject.loss)
    let workspace = network.makeWorkspace()
    let loss = workspace.forward(
      [Matrix(identity: 2)], [[100, -100]], .values([[0, 1]]), mode: .training(seed: 1))
    #expect(abs(loss - expected) < 1e-3, "\(subject.name)")
    #expect(workspace.outputGradients!.values == [[1, -1]])
  }
}
