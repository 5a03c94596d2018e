import FisherCurvature
import FisherLinearAlgebra
import FisherOptimizers
import FisherPluginEKFAC
import OptimizerTestSupport
import Testing

@Suite struct EKFACTests {
  private func direction(_ layer: DenseLayer, _ optimizer: EKFAC) throws -> [Double] {
    layer.joined(try OptimizerRun.direction(optimizer, layer.parameters, layer.gradients, layer.layers))
  }

  private func optimizer(
    damping: Double, _ moments: EKFAC.Moments = .batch, decay: Double? = nil
  ) -> EKFAC {
    EKFAC(
      lr: 1, damping: damping, statistics: .empirical, moments: moments, momentDecay: decay, klClip: 0)
  }

  /// The numbers of an independent program.
  @Test func golden() throws {
    let layer = DenseLayer(H: [[1, 2], [0, -1]], D: [[0.5, -0.5], [1, 0.25]])
    let expected = [
      0.2128864228, -0.0113237459, 0.6499830144, -0.2119218858, -0.6552174247, 0.0194517673,
    ]
    let trace = Trace(
      parameters: layer.parameters, values: layer.gradients.map { $0.map { _ in 0 } },
      gradients: [layer.gradients], captures: [Captures(layer.layers)])
    let naive = trace.runReference(optimizer(damping: 0.3).reference()).map { $0.map { -$0 } }
    for Δ in [try direction(layer, optimizer(damping: 0.3)), layer.joined(naive)] {
      #expect(zip(Δ, expected).allSatisfy { abs($0 - $1) < 1e-10 }, "\(Δ)")
    }
  }

  /// Factors, eigenbasis and moments of one batch.
  private struct Batch {
    let layer: DenseLayer
    let A, G, UA, UG, S: Matrix<Double>

    init(_ layer: DenseLayer) throws {
      self.layer = layer
      var run = try OptimizerRun<Double>(EKFAC(statistics: .empirical), layer.parameters)
      try run.step(layer.gradients, layer.layers)
      (A, G) = (run.symmetric("A", of: "w")!, run.symmetric("G", of: "w")!)
      (UA, UG) = (run.state("UA", of: "w")!, run.state("UG", of: "w")!)
      S = Self.moments(layer, UA, UG, a: run.state("a", of: "w")!, b: run.state("b", of: "w")!)
    }

    static func moments(
      _ layer: DenseLayer, _ UA: Matrix<Double>, _ UG: Matrix<Double>, a: Matrix<Double>, b: Matrix<Double>
    ) -> Matrix<Double> {
      var S = Matrix<Double>(rows: UG.rows, columns: UA.rows)
      EigenBasis(UA: UA, UG: UG, a: a, b: b).setBatchMoments(
        &S, layer.layers["l"]!, [.weight, .bias], on: NativeBackend(), threads: 1)
      return S
    }

    /// U·diag(S)·Uᵀ for vectors row by row.
    var approximation: Matrix<Double> {
      let U = kronecker(UG, UA)
      let scaled = Matrix<Double>(rows: U.rows, columns: U.rows) { S.array[$0] * U[$0, $1] }
      return U.transposed.multiplied(by: scaled)
    }
  }

  private func distance(_ x: Matrix<Double>, _ y: Matrix<Double>) -> Double {
    zip(x.array, y.array).reduce(0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) }.squareRoot()
  }

  /// Of all diagonals in this basis S is nearest to the Fisher matrix; that of K-FAC is one of them.
  @Test(arguments: [1, 2, 3, 4, 5])
  func isNearerToTheFisherMatrixThanKFAC(seed: UInt64) throws {
    let batch = try Batch(DenseLayer(samples: 12, inputs: 4, outputs: 3, seed: seed))
    let F = batch.layer.fisher
    let own = distance(F, batch.approximation)
    let kfac = distance(F, kronecker(batch.G, batch.A))
    #expect(own < kfac)
    var nudged = batch.S
    for i in 0..<3 { for j in 0..<5 { nudged[i, j] *= 1 + 0.1 * Double((i + j) % 3 - 1) } }
    let U = kronecker(batch.UG, batch.UA)
    let scaled = Matrix<Double>(rows: U.rows, columns: U.rows) { nudged.array[$0] * U[$0, $1] }
    #expect(own < distance(F, U.transposed.multiplied(by: scaled)))
  }

  @Test func hasTheTraceOfTheFisherMatrix() throws {
    // Fewer samples than inputs: some eigenvalues are zero.
    for samples in [3, 12] {
      let batch = try Batch(DenseLayer(samples: samples, inputs: 6, outputs: 4))
      let F = batch.layer.fisher
      let trace = (0..<F.rows).reduce(0) { $0 + F[$1, $1] }
      #expect(abs(batch.S.array.reduce(0, +) - trace) < 1e-14 * trace)
    }
  }

  @Test func signAndOrderOfEigenvectorsDoNotMatter() throws {
    let layer = DenseLayer(samples: 12, inputs: 4, outputs: 3)
    var run = try OptimizerRun<Double>(EKFAC(statistics: .empirical), layer.parameters)
    try run.step(layer.gradients, layer.layers)
    func row(_ slot: String) -> Matrix<Double> { run.state(slot, of: "w")! }
    func direction(_ UA: Matrix<Double>, _ UG: Matrix<Double>) -> [Double] {
      let basis = EigenBasis(UA: UA, UG: UG, a: nil, b: nil)
      var S = Matrix<Double>(rows: 3, columns: 5)
      basis.setBatchMoments(
        &S, layer.layers["l"]!, [.weight, .bias], on: NativeBackend(), threads: 1)
      var Δ = S
      basis.basis.divide(layer.joined, by: .elements(S, damping: 0.1), into: &Δ)
      return Δ.array
    }
    let (UA, UG) = (row("UA"), row("UG"))
    let order = [3, 0, 4, 2, 1]
    let other = Matrix<Double>(rows: 5, columns: 5) { UA[order[$0], $1] * ($0 % 2 == 0 ? -1 : 1) }
    let reversed = Matrix<Double>(rows: 3, columns: 3) { -UG[2 - $0, $1] }
    #expect(relativeDifference(direction(other, reversed), direction(UA, UG)) < 1e-13)
  }

  /// With S = b·aᵀ and hardly any ε it is K-FAC without damping.
  @Test func isKFACWithTheEigenvaluesOfTheFactors() throws {
    let layer = DenseLayer(samples: 40, inputs: 4, outputs: 3)
    let Δ = try direction(layer, optimizer(damping: 1e-14, .running, decay: 1))
    let batch = try Batch(layer)
    let F = kronecker(batch.G, batch.A)
    let product = F.multiplied(by: Matrix(Δ, rows: 15, columns: 1)).array
    #expect(relativeDifference(product, layer.joined.array) < 1e-10)
  }

  /// Samples with positions, and convolutions, whose gradients are formed: against the rows of a layer without positions.
  @Test func momentsOfFormedGradients() throws {
    let positions = 2
    let layer = DenseLayer(samples: 6, inputs: 4, outputs: 3)
    let capture = LayerCapture<Double>(
      kind: .linear(hasBias: true), inputs: layer.H, outputGradients: .ofSum(layer.D, terms: 3),
      sampleCount: 3)
    let batch = try Batch(layer)
    var S = Matrix<Double>(rows: 3, columns: 5)
    EigenBasis(UA: batch.UA, UG: batch.UG, a: nil, b: nil).setBatchMoments(
      &S, capture, [.weight, .bias], on: NativeBackend(), threads: 1)
    var expected = [Double](repeating: 0, count: 15)
    for n in 0..<3 {
      let rows = n * positions..<(n + 1) * positions
      let v = layer.D[rows: rows, columns: 0...].transposed.multiplied(
        by: layer.rows[rows: rows, columns: 0...])
      let C = batch.UG.multiplied(by: v).multiplied(by: batch.UA.transposed).array
      for i in 0..<15 { expected[i] += C[i] * C[i] / 3 }
    }
    #expect(relativeDifference(S.array, expected) < 1e-14)
  }

  /// Running moments start from b·aᵀ whenever the basis is a new one, and go on where it is not.
  @Test func movingMomentsBelongToTheirBasis() throws {
    let layer = DenseLayer(samples: 40, inputs: 4, outputs: 3)
    var run = try OptimizerRun<Double>(
      EKFAC(
        statistics: .empirical, moments: .running, momentDecay: 0.75, refreshPeriod: 4, momentum: 0),
      layer.parameters)
    var former = Matrix<Double>(rows: 3, columns: 5)
    for t in 1...11 {
      let batch = DenseLayer(samples: 40, inputs: 4, outputs: 3, seed: UInt64(t))
      try run.step(batch.gradients, batch.layers)
      func state(_ slot: String) -> Matrix<Double> { run.state(slot, of: "w")! }
      let (a, b) = (state("a"), state("b"))
      let isNew = t <= 3 || t % 4 == 1
      let old = isNew ? Matrix<Double>(rows: 3, columns: 5) { b[0, $0] * a[0, $1] } : former
      let g = state("UG").multiplied(by: batch.joined).multiplied(by: state("UA").transposed)
      let expected = Matrix<Double>(rows: 3, columns: 5) { 0.75 * old[$0, $1] + 0.25 * g[$0, $1] * g[$0, $1] }
      #expect(relativeDifference(state("S").array, expected.array) < 1e-12, "step \(t)")
      former = state("S")
    }
  }

  @Test(arguments: [EKFAC.Moments.batch, .running])
  func ranksSpikesAndUnusedLayers(moments: EKFAC.Moments) throws {
    let layer = DenseLayer(samples: 1, inputs: 6, outputs: 5)
    let spike = DenseLayer(H: layer.H, D: Matrix(layer.D.array.map { $0 * 1e6 }, rows: 1, columns: 5))
    let nothing = DenseLayer(H: Matrix(rows: 1, columns: 6), D: Matrix(rows: 1, columns: 5))
    let unused = ParameterInfo(name: "u", shape: [3, 2], role: .linearWeight, layer: "unused")
    var run = try OptimizerRun<Float>(
      EKFAC(moments: moments, refreshPeriod: 2), layer.parameters + [unused])
    let zeros = [Float](repeating: 0, count: 6)
    for t in 0..<40 {
      let batch = t == 10 ? spike : t < 2 ? nothing : layer
      let events = try run.step(
        batch.gradients.map { $0.map { Float($0) } } + [zeros],
        batch.layers.mapValues { $0.converted(to: Float.self) })
      #expect(events.keys.allSatisfy { $0 == "layers without statistics" })
    }
    #expect(run.values.allSatisfy(\.isFinite) && run.values[2].array == zeros)
    #expect(run.values[0].array.contains { $0 != 0 })
  }
}
