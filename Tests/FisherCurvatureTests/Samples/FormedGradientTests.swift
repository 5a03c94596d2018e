import FisherCurvature
import FisherLinearAlgebra
import FisherTestSupport
import Testing

/// The gradients of single samples, formed, and what stands for their products.
@Suite struct FormedGradientTests {
  private func formed(
    _ capture: LayerCapture<Double>, _ parameters: LayerParameters, rows: Int, columns: Int
  ) -> [Double] {
    var all: [Double] = []
    capture.forEachFormed(of: parameters, rows: rows, columns: columns, on: NativeBackend(), threads: 2) {
      gradients, samples in
      #expect(gradients.rows == samples.count * rows && gradients.columns == columns)
      #expect(samples.lowerBound * rows * columns == all.count)
      all += gradients.array
    }
    return all
  }

  /// Sample by sample they are those of the definition: the weight's, the bias's, and both as the rows [W b].
  @Test(arguments: CaptureCase.all)
  func formedAreThoseOfTheDefinition(subject: CaptureCase) {
    var generator = Generator(seed: Seed.first)
    let capture = subject.capture(samples: 5, &generator)
    let (rows, columns) = (capture.weightRows, capture.weightColumns)
    let J = subject.rows(capture)
    let weights = J.map { Array($0.prefix(rows * columns)) }
    let biases = J.map { Array($0.dropFirst(rows * columns)) }
    func check(_ found: [Double], _ expected: [[Double]]) {
      #expect(
        isClose(found, expected.flatMap { $0 }, terms: CaptureTests.terms), "FISHER_SEED=\(Seed.first)")
    }
    check(formed(capture, .weight, rows: rows, columns: columns), weights)
    check(formed(capture, .weight, rows: rows * columns, columns: 1), weights)
    if !capture.hasBias { return }
    let outputs = biases[0].count
    check(formed(capture, .bias, rows: 1, columns: outputs), biases)
    if outputs != rows { return }
    let joined = zip(weights, biases).map { weight, bias in
      (0..<rows).flatMap { weight[$0 * columns..<($0 + 1) * columns] + [bias[$0]] }
    }
    check(formed(capture, .all, rows: rows, columns: columns + 1), joined)
  }

  /// More elements than are formed at a time come in pieces of one sample, in their order.
  @Test func manyElementsComeInPieces() {
    let (outputs, inputs) = (2100, 1000)
    let capture = LayerCapture<Float>(
      kind: .linear(hasBias: false), inputs: Matrix(rows: 3, columns: inputs) { Float($0 + 1) + Float($1) },
      outputGradients: .ofSum(Matrix(rows: 3, columns: outputs) { Float($0) - Float($1) }, terms: 3),
      sampleCount: 3)
    var ranges: [Range<Int>] = []
    capture.forEachFormed(
      of: .weight, rows: outputs, columns: inputs, on: NativeBackend(), threads: 2
    ) { gradients, samples in
      ranges.append(samples)
      let n = Float(samples.lowerBound)
      #expect(gradients[7, 11] == (n - 7) * (n + 12))
    }
    #expect(ranges == [0..<1, 1..<2, 2..<3])
  }

  /// HᵀH is the sum over samples and outputs of each gradient's product with itself.
  @Test(arguments: [LayerParameters.all, .weight, .bias])
  func productsOfWeightedInputs(parameters: LayerParameters) throws {
    var generator = Generator(seed: Seed.first)
    for subject in CaptureCase.all {
      let capture = subject.capture(samples: 6, &generator)
      guard case .linear(true) = capture.kind, capture.positions == 1 else {
        if capture.positions > 1 { #expect(capture.weightedInputs(of: parameters) == nil, "\(subject)") }
        continue
      }
      let H = try #require(capture.weightedInputs(of: parameters))
      let columns =
        (parameters.contains(.weight) ? subject.inputs : 0) + (parameters.contains(.bias) ? 1 : 0)
      let V = Matrix(
        formed(capture, parameters, rows: subject.outputs, columns: columns), rows: 6 * subject.outputs,
        columns: columns)
      let (found, expected) = (H.transposed.multiplied(by: H), V.transposed.multiplied(by: V))
      #expect(isClose(found.array, expected.array, terms: 6 * subject.outputs), "\(subject)")
    }
  }

  @Test func rolesAreWeightsOrBiases() {
    #expect(ParameterRole.allCases.filter { LayerParameters($0) == .bias } == [.bias, .normShift])
    #expect(ParameterRole.allCases.allSatisfy { [.bias, .weight].contains(LayerParameters($0)) })
  }

  @Test(.ownThread) func wrongShapesStop() async {
    let result = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      let capture = LayerCapture<Float>(
        kind: .linear(hasBias: false), inputs: Matrix(rows: 2, columns: 3),
        outputGradients: .ofSum(Matrix(rows: 2, columns: 4), terms: 2), sampleCount: 2)
      capture.forEachFormed(of: .weight, rows: 5, columns: 3, on: NativeBackend(), threads: 1) { _, _ in }
    }
    let message = String(decoding: result?.standardErrorContent ?? [], as: UTF8.self)
    #expect(message.contains("gradients of 12 elements are not 5×3"), "the message is: \(message)")
  }
}
