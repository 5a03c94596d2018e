import FisherCurvature
import FisherLinearAlgebra
import FisherNetworks
import FisherRuntime
import FisherTestSupport
import Testing

private func sigmoid(_ z: Double) -> Double { 1 / (1 + exp(-z)) }

private func probabilities(_ z: [Double]) -> [Double] {
  let sum = z.reduce(0) { $0 + exp($1) }
  return z.map { exp($0) / sum }
}

/// A network with its batch: what its exact Fisher matrix is compared on.
struct FisherCase: Sendable, CustomStringConvertible {
  enum Target: String, Sendable { case softmax, binary, squared }

  let description: String
  let input: SampleShape
  let layers: [Layer]
  let target: Target
  let outputs: Int

  static let all: [FisherCase] = {
    let dense: [Layer] = [.linear(5), .tanh, .linear(3)]
    let image: [Layer] = [
      .convolution(4, size: 3, padding: 1), .batchNorm, .relu, .flatten, .linear(6), .layerNorm, .tanh,
      .linear(3),
    ]
    return [
      FisherCase(description: "dense softmax", input: [4], layers: dense, target: .softmax, outputs: 3),
      FisherCase(description: "dense binary", input: [4], layers: dense, target: .binary, outputs: 3),
      FisherCase(description: "dense squared", input: [4], layers: dense, target: .squared, outputs: 3),
      FisherCase(
        description: "image softmax", input: [2, 4, 4], layers: image, target: .softmax, outputs: 3),
      FisherCase(
        description: "rectangular taps", input: [2, 4, 5],
        layers: [
          .rectangularConvolution(
            3, size: Extent(height: 3, width: 1), stride: Extent(height: 1, width: 2),
            padding: Extent(height: 0, width: 1)), .tanh, .flatten, .linear(3),
        ], target: .softmax, outputs: 3),
      FisherCase(
        description: "transformer", input: [3, 4],
        layers: [
          .positionEmbedding, .rmsNorm(), .selfAttention(width: 4, heads: 2, rotary: true), .layerNorm,
          .linear(2),
        ], target: .softmax, outputs: 6),
      FisherCase(
        description: "rows of outputs", input: [3, 4], layers: [.linear(5), .tanh, .linear(2)],
        target: .softmax,
        outputs: 6),
    ]
  }()

  func network() throws -> Network<Double> {
    switch target {
    case .softmax: return try Network(input: input, layers)
    case .binary: return try Network(input: input, layers, loss: Loss<MeanReduction>.binaryCrossEntropy)
    case .squared: return try Network(input: input, layers, loss: Loss<SumReduction>.squaredError)
    }
  }

  func labels(_ rows: Int, _ columns: Int, _ generator: inout Generator) -> Labels<Double> {
    switch target {
    case .softmax: return .classes((0..<rows).map { _ in Int.random(in: 0..<columns, using: &generator) })
    case .binary:
      return .values(Matrix(rows: rows, columns: columns) { _, _ in Bool.random(using: &generator) ? 1 : 0 })
    case .squared: return .values(Matrix(rows: rows, columns: columns) { _, _ in generator.uniform() })
    }
  }
}

@Suite struct FisherMatrixTests {
  /// The workspace of a case after a forward pass, with its values and a random direction.
  private func make(
    _ subject: FisherCase, seed: UInt64
  ) throws -> (workspace: Workspace<Double>, values: [Matrix<Double>], direction: [Matrix<Double>]) {
    var generator = Generator(seed: seed)
    let network = try subject.network()
    let samples = 5
    let X = Matrix<Double>(rows: samples, columns: network.input.count) { _, _ in generator.uniform() }
    let positions = subject.outputs == 6 ? 3 : 1
    let labels = subject.labels(samples * positions, subject.outputs / positions, &generator)
    func random() -> [Matrix<Double>] {
      network.parameters.map { info in
        Matrix(rows: info.rows, columns: info.columns) { _, _ in generator.uniform() }
      }
    }
    let workspace = network.makeWorkspace(threads: 1)
    let (values, direction) = (random(), random())
    workspace.forward(values, X, labels, mode: .evaluation)
    return (workspace, values, direction)
  }

  /// ⟨∇ℓₙ, Δ⟩ of every sample, from captures.
  private func products<Kind>(
    _ captures: Captures<Double, Kind>, _ workspace: Workspace<Double>, _ Δ: [Matrix<Double>]
  ) -> [Double] {
    (0..<workspace.sampleCount).map { n in
      let one = (0..<workspace.sampleCount).map { $0 == n ? 1.0 : 0 }
      var sum = 0.0
      for (info, part) in zip(workspace.network.parameters, Δ) {
        guard let layer = info.layer, let capture = captures.layers[layer] else { continue }
        let gradients = capture.gradients(weighting: one)
        let isBias = info.role == .bias || info.role == .normShift
        let gradient = (isBias ? gradients.bias : gradients.weight)?.array ?? []
        sum += zip(gradient, part.array).reduce(0) { $0 + $1.0 * $1.1 }
      }
      return sum
    }
  }

  /// ΔᵀFΔ by three ways: the tangent and the curvature's root, the rows of the root sent backward, and the definition.
  @Test(arguments: FisherCase.all)
  func quadraticForms(subject: FisherCase) throws {
    for seed in Seed.cases(2) {
      let (workspace, values, Δ) = try make(subject, seed: seed)
      let (quadratic, slope) = workspace.fisherQuadratic(values, along: Δ)
      let exact = workspace.exactFisher(values)
      var (backward, inner) = (0.0, 0.0)
      for (r, column) in exact.columns.enumerated() {
        for (n, product) in products(column, workspace, Δ).enumerated() {
          backward += product * product
          inner += exact.coefficients[n, r] * product
        }
      }
      let definition = definition(subject, workspace, workspace.outputTangent(values, along: Δ))
      let what = "\(subject) FISHER_SEED=\(seed)"
      #expect(abs(quadratic - definition) < 1e-11 * definition, "\(what): \(quadratic) \(definition)")
      #expect(abs(backward - definition) < 1e-11 * definition, "\(what): \(backward) \(definition)")
      #expect(abs(inner - slope) < 1e-10 * max(1, abs(slope)), "\(what): \(inner) \(slope)")

      var gradients = workspace.network.zeros()
      workspace.backward(values, into: &gradients)
      let toSum = subject.target == .squared ? 1 : Double(workspace.termCount)
      let direct = zip(gradients, Δ).reduce(0.0) { sum, pair in
        zip(pair.0.array, pair.1.array).reduce(sum) { $0 + $1.0 * $1.1 * toSum }
      }
      #expect(abs(slope - direct) < 1e-10 * max(1, abs(direct)), "\(what): \(slope) \(direct)")
    }
  }

  /// Σₙ ⟨ĝₙ, Δ⟩² over labels drawn from the model is ΔᵀFΔ on average, within five standard deviations of the mean.
  @Test(arguments: FisherCase.all)
  func drawnLabelsEstimateIt(subject: FisherCase) throws {
    let (workspace, values, Δ) = try make(subject, seed: Seed.first)
    let quadratic = workspace.fisherQuadratic(values, along: Δ).0
    let draws = (0..<200).map { draw in
      products(workspace.sampledCaptures(values, seed: UInt64(draw)), workspace, Δ)
        .reduce(0) { $0 + $1 * $1 }
    }
    let mean = draws.reduce(0, +) / 200
    let deviation = (draws.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / 199 / 200).squareRoot()
    #expect(abs(mean - quadratic) < 5 * deviation, "\(subject): \(mean) ± \(deviation), \(quadratic)")
    #expect(deviation < 0.3 * quadratic)
  }

  /// Σ over rows of the variance of dz under the model's own distribution.
  private func definition(_ subject: FisherCase, _ workspace: Workspace<Double>, _ dz: Matrix<Double>)
    -> Double
  {
    let columns = subject.outputs == 6 ? 2 : subject.outputs
    let z = workspace.outputs.reshaped(rows: workspace.termCount, columns: columns)
    let dz = dz.reshaped(rows: workspace.termCount, columns: columns)
    return (0..<z.rows).reduce(0) { sum, row in
      let (z, dz) = (z.row(row).array, dz.row(row).array)
      switch subject.target {
      case .squared: return dz.reduce(sum) { $0 + $1 * $1 }
      case .binary:
        return zip(z, dz).reduce(sum) { $0 + $1.1 * $1.1 * sigmoid($1.0) * (1 - sigmoid($1.0)) }
      case .softmax:
        let p = probabilities(z)
        let mean = zip(p, dz).reduce(0) { $0 + $1.0 * $1.1 }
        return zip(p, dz).reduce(sum) { $0 + $1.0 * ($1.1 - mean) * ($1.1 - mean) }
      }
    }
  }

  /// The sums of the samples' gradients, from captures, are the gradients: every kind of layer, normalised inputs too.
  @Test(arguments: FisherCase.all)
  func capturesMakeTheGradients(subject: FisherCase) throws {
    let (workspace, values, Δ) = try make(subject, seed: Seed.first)
    var gradients = workspace.network.zeros()
    workspace.backward(values, into: &gradients, [.gradients, .captures])
    let captures = workspace.captures!
    let toSum = subject.target == .squared ? 1 : Double(workspace.termCount)
    let sum = products(captures, workspace, Δ).reduce(0, +)
    let direct = zip(gradients, Δ).reduce(0.0) { sum, pair in
      zip(pair.0.array, pair.1.array).reduce(sum) { $0 + $1.0 * $1.1 * toSum }
    }
    #expect(abs(sum - direct) < 1e-11 * max(1, abs(direct)), "\(subject): \(sum) \(direct)")
    #expect(captures.layers.values.allSatisfy { !$0.mixesSamples })
  }

  @Test func batchStatisticsMixSamples() throws {
    let subject = FisherCase.all[3]
    let (workspace, values, _) = try make(subject, seed: Seed.first)
    var generator = Generator(seed: Seed.first)
    let X = Matrix<Double>(rows: 3, columns: 32) { _, _ in generator.uniform() }
    workspace.forward(values, X, .classes([0, 1, 2]), mode: .training(seed: 1))
    var gradients = workspace.network.zeros()
    workspace.backward(values, into: &gradients, .captures)
    #expect(workspace.captures!.layers.values.filter(\.mixesSamples).count == 1)
  }
}
