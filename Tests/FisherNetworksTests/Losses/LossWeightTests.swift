import FisherCurvature
import FisherLinearAlgebra
import FisherNetworks
import FisherRuntime
import FisherTestSupport
import Testing

private let layers: [Layer] = [.linear(6), .tanh, .linear(4)]

private func network(_ loss: Loss<MeanReduction> = .standard) throws -> Network<Double> {
  try Network<Double>(input: [3, 5], layers, loss: loss)
}

/// Two samples of three positions; two positions have no class.
private let classes = [2, -1, 0, 3, 1, -1]

@Suite struct LossWeightTests {
  private func inputs(_ rows: Int = 2) -> Matrix<Double> {
    var generator = Generator(seed: Seed.first)
    return Matrix(rows: rows, columns: 15) { _, _ in generator.uniform() }
  }

  /// Rows without a class are as if they were not there.
  @Test func rowsWithoutAClassDoNotCount() throws {
    let (all, values) = (try network(), try network().initialValues(seed: 1))
    let workspace = all.makeWorkspace()
    let loss = workspace.forward(values, inputs(), .classes(classes), mode: .training(seed: 1))
    #expect(workspace.termCount == 4)
    var gradients = all.zeros()
    workspace.backward(values, into: &gradients, [.gradients, .captures])

    let few = try Network<Double>(input: [5], layers)
    let kept = classes.indices.filter { classes[$0] >= 0 }
    let rows = kept.flatMap { inputs().reshaped(rows: 6, columns: 5).row($0).array }
    let other = few.makeWorkspace()
    let expected = other.forward(
      values, Matrix(rows, rows: 4, columns: 5), .classes(kept.map { classes[$0] }), mode: .training(seed: 1))
    var wanted = few.zeros()
    other.backward(values, into: &wanted)
    #expect(abs(loss - expected) < 1e-14)
    for (a, b) in zip(gradients, wanted) { #expect(error(a.array, b.array) < 1e-13) }
    // The captures say the same, in the scale of the mean.
    let capture = try #require(workspace.captures?.layers["layers.2"])
    let sum = capture.outputGradients.ofSum.transposed.multiplied(by: capture.inputs)
    #expect(error(sum.array.map { $0 / 4 }, wanted[2].array) < 1e-13)
  }

  /// What the network says where nothing is asked may be anything.
  @Test func whatDoesNotCountMayBeNaN() throws {
    let values = try network().initialValues(seed: 1)
    let workspace = try network().makeWorkspace()
    let loss = workspace.forward(values, inputs(), .classes(classes), mode: .training(seed: 1))
    var broken = inputs()
    for j in 5..<10 { broken[0, j] = .nan }
    #expect(workspace.forward(values, broken, .classes(classes), mode: .training(seed: 1)) == loss)
    #expect(workspace.outputGradients!.values.array.allSatisfy { $0.isFinite })
    let none = workspace.forward(
      values, inputs(), .classes([Int](repeating: -1, count: 6)), mode: .training(seed: 1))
    #expect(none == 0 && workspace.termCount == 1)
  }

  @Test(arguments: [0, 0.2]) func classesWeighWhatTheyWeigh(smoothing: Double) throws {
    let weights = [0.5, 2, 0, 3]
    let weighted = try network(.weightedCrossEntropy(classWeights: weights, labelSmoothing: smoothing))
    let plain = try network(.softmaxCrossEntropy(labelSmoothing: smoothing))
    let values = weighted.initialValues(seed: 1)
    let (a, b) = (weighted.makeWorkspace(), plain.makeWorkspace())
    let loss = a.forward(values, inputs(), .classes(classes), mode: .training(seed: 1))
    var expected = 0.0
    for (row, label) in classes.enumerated() where label >= 0 {
      let one = classes.indices.map { $0 == row ? label : -1 }
      expected += weights[label] * b.forward(values, inputs(), .classes(one), mode: .evaluation) / 4
    }
    #expect(abs(loss - expected) < 1e-14)
    let check = GradientCheck(weighted, values, inputs(), .classes(classes), seed: Seed.first)
    #expect(check.violations().isEmpty, "\(check.violations())")
  }

  /// The curvature of a row is that of its loss, as many times as it counts; drawn labels estimate it.
  @Test func curvatureIsWeighted() throws {
    let weights = [0.5, 2, 1, 3]
    let subject = try network(.weightedCrossEntropy(classWeights: weights))
    var generator = Generator(seed: Seed.first)
    func random() -> [Matrix<Double>] {
      subject.parameters.map { info in
        Matrix(rows: info.rows, columns: info.columns) { _, _ in generator.uniform() }
      }
    }
    let (values, Δ) = (random(), random())
    let workspace = subject.makeWorkspace(threads: 1)
    workspace.forward(values, inputs(), .classes(classes), mode: .evaluation)
    let (quadratic, slope) = workspace.fisherQuadratic(values, along: Δ)
    let tangent = workspace.outputTangent(values, along: Δ).reshaped(rows: 6, columns: 4)
    let z = workspace.outputs.reshaped(rows: 6, columns: 4)
    var expected = 0.0
    for (row, label) in classes.enumerated() where label >= 0 {
      let (z, d) = (z.row(row).array, tangent.row(row).array)
      let sum = z.reduce(0) { $0 + exp($1) }
      let p = z.map { exp($0) / sum }
      let mean = zip(p, d).reduce(0) { $0 + $1.0 * $1.1 }
      expected += weights[label] * zip(p, d).reduce(0) { $0 + $1.0 * ($1.1 - mean) * ($1.1 - mean) }
    }
    #expect(abs(quadratic - expected) < 1e-12 * expected)
    var gradients = subject.zeros()
    workspace.forward(values, inputs(), .classes(classes), mode: .evaluation)
    workspace.backward(values, into: &gradients)
    let direct = 4 * zip(gradients, Δ).reduce(0) { $0 + dot($1.0, $1.1) }
    #expect(abs(slope - direct) < 1e-12 * max(1, abs(direct)))

    let draws = (0..<400).map { draw in
      let drawn = workspace.sampledCaptures(values, seed: UInt64(draw)).layers["layers.2"]!
      return drawn.outputGradients.squaredNorms(samples: 6)
    }
    for (row, label) in classes.enumerated() {
      let norms = draws.map { $0[row] }
      let mean = norms.reduce(0, +) / 400
      if label < 0 {
        #expect(mean == 0)
        continue
      }
      let z = z.row(row).array
      let sum = z.reduce(0) { $0 + exp($1) }
      let trace = weights[label] * (1 - z.reduce(0) { $0 + exp(2 * $1) } / (sum * sum))
      #expect(abs(mean - trace) < 0.2 * trace, "row \(row): \(mean), \(trace)")
    }
  }
}
