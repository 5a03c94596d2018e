import FisherCurvature
import FisherLinearAlgebra
import FisherOptimizers
import FisherPluginImprovedEmpiricalFisher
import FisherTestSupport
import Testing

/// A layer whose samples' gradients are compared with those that are formed element by element.
struct GramCase: Sendable, CustomStringConvertible {
  let name: String
  let kind: LayerKind
  let inputs: Int
  let outputs: Int
  var positions = 1
  var samples = 5
  let parameters: [ParameterInfo]

  var description: String { name }

  static let all: [GramCase] = {
    let grouped = ConvolutionGeometry(
      channels: 4, height: 5, width: 6, outputs: 6, kernelHeight: 3, kernelWidth: 2, stride: 2, padding: 1,
      dilation: 2, groups: 2)
    let point = ConvolutionGeometry(
      channels: 3, height: 2, width: 3, outputs: 4, kernelHeight: 1, kernelWidth: 1)
    func pair(_ weight: [Int], _ role: ParameterRole, _ bias: ParameterRole = .bias) -> [ParameterInfo] {
      [
        ParameterInfo(name: "w", shape: weight, role: role, layer: "l"),
        ParameterInfo(name: "b", shape: [weight[0]], role: bias, layer: "l"),
      ]
    }
    return [
      GramCase(
        name: "linear", kind: .linear(hasBias: true), inputs: 7, outputs: 3,
        parameters: pair([3, 7], .linearWeight)),
      GramCase(
        name: "one sample", kind: .linear(hasBias: true), inputs: 1, outputs: 1, samples: 1,
        parameters: pair([1, 1], .linearWeight)),
      GramCase(
        name: "few positions of a wide layer", kind: .linear(hasBias: true), inputs: 90, outputs: 80,
        positions: 2,
        parameters: pair([80, 90], .linearWeight)),
      GramCase(
        name: "many positions of a narrow layer", kind: .linear(hasBias: true), inputs: 3, outputs: 2,
        positions: 30, parameters: pair([2, 3], .linearWeight)),
      GramCase(
        name: "convolution with groups", kind: .convolution(grouped, hasBias: true), inputs: 120,
        outputs: 6 * grouped.positions, parameters: pair([6, 2, 3, 2], .convolutionWeight)),
      GramCase(
        name: "1×1 convolution", kind: .convolution(point, hasBias: true), inputs: 18, outputs: 24,
        parameters: pair([4, 3, 1, 1], .convolutionWeight)),
      GramCase(
        name: "embedding", kind: .embedding(tokens: 4), inputs: 1, outputs: 3, positions: 6,
        parameters: [ParameterInfo(name: "e", shape: [4, 3], role: .embedding, layer: "l")]),
      GramCase(
        name: "layer norm", kind: .layerNorm, inputs: 5, outputs: 5, positions: 3,
        parameters: pair([5], .normScale, .normShift)),
      GramCase(
        name: "frozen batch norm", kind: .batchNorm(channels: 3, area: 4), inputs: 12, outputs: 12,
        parameters: pair([3], .normScale, .normShift)),
    ]
  }()

  /// A random batch; the same inputs for every call with `inputsOf`.
  func capture(
    _ generator: inout Generator, samples: Int? = nil, inputsOf other: LayerCapture<Double>? = nil
  ) -> LayerCapture<Double> {
    let rows = (samples ?? self.samples) * positions
    func random(_ columns: Int) -> Matrix<Double> {
      Matrix(rows: rows, columns: columns) { _, _ in Double(generator.uniform() as Float) }
    }
    var h = other?.inputs ?? random(inputs)
    if case .embedding(let tokens) = kind, other == nil {
      h = Matrix(rows: rows, columns: 1) { _, _ in Double(Int.random(in: 0..<tokens, using: &generator)) }
    }
    return LayerCapture(
      kind: kind, inputs: h, outputGradients: .ofMean(random(outputs), terms: 3),
      sampleCount: samples ?? self.samples, normalized: other?.normalized ?? random(inputs))
  }

  /// J: one row a sample, all parameters side by side.
  func rows(_ capture: LayerCapture<Double>) -> [[Double]] {
    parameters.reduce([[Double]](repeating: [], count: capture.sampleCount)) { J, parameter in
      zip(J, naiveGradients(capture, parameter)).map { $0 + $1 }
    }
  }
}

@Suite struct GramTests {
  /// A bound for sums of a few thousand products of numbers below 1 in the precision S.
  private func expectClose(_ a: [Double], _ b: [Double], _ ε: Double, _ what: String) {
    let scale = max(b.map(abs).max() ?? 0, 1e-3)
    let worst = zip(a, b).map { abs($0 - $1) }.max() ?? 0
    #expect(a.count == b.count && worst <= 200 * ε * scale, "\(what): \(worst / scale)")
  }

  private func check<S: KernelScalar>(_ subject: GramCase, seed: UInt64, _: S.Type) {
    var generator = Generator(seed: seed)
    let first = subject.capture(&generator)
    let second = subject.capture(&generator, inputsOf: first)
    let others = subject.capture(&generator, samples: 3)
    let what = "\(subject) \(S.self) FISHER_SEED=\(seed)"
    let J = subject.rows(first)
    let fast = first.converted(to: S.self)
    for (other, name) in [(nil, "J·Jᵀ"), (second, "same inputs"), (others, "other samples")] {
      let L = other.map(subject.rows) ?? J
      var K = Matrix<Double>(repeating: 1, rows: J.count, columns: L.count)
      fast.addGram(with: other?.converted(to: S.self), to: &K)
      expectClose(
        K.array, J.flatMap { row in L.map { 1 + dot(row, $0) } }, Double(S.ulpOfOne), "\(what) \(name)")
    }
    expectClose(fast.squaredGradientNorms(), J.map { dot($0, $0) }, Double(S.ulpOfOne), "\(what) norms")
    let w = J.indices.map { 1 - 0.7 * Double($0) }
    let sum = fast.gradients(weighting: w)
    let expected = J[0].indices.map { p in zip(J, w).reduce(0) { $0 + $1.0[p] * $1.1 } }
    let found = (sum.weight?.array ?? []) + (sum.bias?.array ?? [])
    expectClose(found.map { Double($0) }, expected, Double(S.ulpOfOne), "\(what) Jᵀ·w")
  }

  @Test(arguments: GramCase.all)
  func agreesWithFormedGradients(subject: GramCase) {
    for seed in Seed.cases(3) {
      check(subject, seed: seed, Double.self)
      check(subject, seed: seed, Float.self)
    }
  }

  @Test func partsOfALayer() {
    var generator = Generator(seed: Seed.first)
    for subject in GramCase.all where subject.parameters.count == 2 {
      let capture = subject.capture(&generator)
      var sum = Matrix<Double>(rows: 5, columns: 5)
      if capture.sampleCount != 5 { sum = Matrix(rows: 1, columns: 1) }
      var whole = sum
      capture.addGram(of: .weight, to: &sum)
      capture.addGram(of: .bias, to: &sum)
      capture.addGram(to: &whole)
      expectClose(sum.array, whole.array, .ulpOfOne, "\(subject)")
      #expect(capture.gradients(weighting: whole.column(0).array, of: .bias).weight == nil)
    }
  }

  /// A weight that is used twice is a layer with the positions of both uses.
  @Test func tiedWeights() {
    var generator = Generator(seed: Seed.first)
    let one = GramCase.all[0]
    let (a, b) = (one.capture(&generator), one.capture(&generator))
    func interleaved(_ x: Matrix<Double>, _ y: Matrix<Double>) -> Matrix<Double> {
      Matrix((0..<x.rows).flatMap { x.row($0).array + y.row($0).array }, rows: 2 * x.rows, columns: x.columns)
    }
    let tied = LayerCapture<Double>(
      kind: one.kind, inputs: interleaved(a.inputs, b.inputs),
      outputGradients: .ofMean(interleaved(a.outputGradients.values, b.outputGradients.values), terms: 3),
      sampleCount: 5)
    let J = zip(one.rows(a), one.rows(b)).map { zip($0, $1).map { $0 + $1 } }
    var K = Matrix<Double>(rows: 5, columns: 5)
    tied.addGram(to: &K)
    expectClose(K.array, J.flatMap { row in J.map { dot(row, $0) } }, .ulpOfOne, "tied")
  }

  /// Micro-batches, one after the other, are one batch.
  @Test func joinedBatches() throws {
    var generator = Generator(seed: Seed.first)
    for subject in GramCase.all {
      let parts = [subject.capture(&generator, samples: 2), subject.capture(&generator, samples: 3)]
      let joined = Captures<Double, Empirical>(concatenating: parts.map { Captures(["l": $0]) })
      let J = parts.flatMap(subject.rows)
      let K = try joined.gram(of: ["l": .all])
      expectClose(K.array, J.flatMap { row in J.map { dot(row, $0) } }, .ulpOfOne, "\(subject)")
      #expect(joined.layers["l"]!.outputGradients.scaleToMean == 1.0 / 6.0)
    }
  }

  @Test func mixedSamplesAreNamed() {
    var generator = Generator(seed: Seed.first)
    let frozen = GramCase.all.last!.capture(&generator)
    let mixed = LayerCapture<Double>(
      kind: frozen.kind, inputs: frozen.inputs, outputGradients: frozen.outputGradients, sampleCount: 5,
      normalized: frozen.normalized, mixesSamples: true)
    #expect(throws: SamplesAreMixed(layer: "norm")) {
      try Captures<Double, Empirical>(["norm": mixed]).gram(of: ["norm": .all])
    }
  }

  @Test func sameBitsForAnyThreads() throws {
    var generator = Generator(seed: Seed.first)
    for subject in GramCase.all {
      let captures = Captures<Float, Empirical>(["l": subject.capture(&generator).converted(to: Float.self)])
      let one = try captures.gram(of: ["l": .all], threads: 1)
      for threads in [2, 7] {
        #expect(try captures.gram(of: ["l": .all], threads: threads) == one, "\(subject)")
      }
    }
  }
}
