import FisherCurvature
import FisherLinearAlgebra
import FisherOptimizers
import FisherPluginTNT
import FisherRuntime
import OptimizerTestSupport
import Testing

@Suite struct TNTTests {
  static let weight = ParameterInfo(name: "w", shape: [2, 3], role: .linearWeight, layer: "l")

  /// A layer whose gradient is S = Σᵣ eᵣ·(row r)ᵀ.
  private func capture(_ S: Matrix<Double>) -> LayerCapture<Double> {
    let count = S.rows
    return LayerCapture(
      kind: .linear(hasBias: false), inputs: S,
      outputGradients: .ofSum(Matrix(rows: count, columns: count) { $0 == $1 ? 1 : 0 }, terms: 1),
      sampleCount: count)
  }

  private static let start: [Double] = [1, 2, -1, 0.5, -0.5, 2]
  private static let gradients: [[Double]] = [
    [0.1, -0.2, 0.3, 0.4, 0.5, -0.6], [-0.3, 0.1, 0.2, 0.2, -0.1, 0.4], [0.2, 0.3, -0.1, -0.4, 0.1, 0.2],
  ]

  /// The drawn gradient of step t, from 0.
  private func drawn(_ t: Int) -> [String: LayerCapture<Double>] {
    [
      "l": capture(
        Matrix(rows: 2, columns: 3) { i, j in
          Self.gradients[t][3 * i + j] / 2 + 0.1 * Double(t + 1) * ((i + j) % 2 == 0 ? 1 : -1)
        })
    ]
  }

  private func expectClose(_ a: [Double], _ b: [Double]) {
    #expect(a.count == b.count && zip(a, b).allSatisfy { abs($0 - $1) < 1e-10 }, "\(a)")
  }

  /// The numbers of an independent program: three steps with three drawn gradients.
  @Test func golden() throws {
    let expected = [
      0.8688700386, 1.7362142639, -1.2405210857, 0.2598640164, -0.7482782345, 1.8531621219,
    ]
    let optimizer = TNT(lr: 0.01, damping: 0.1, refreshPeriod: 1)
    var run = try OptimizerRun<Double>(optimizer, [Self.weight], values: [Self.start])
    for t in 0..<3 { try run.step([Self.gradients[t]], drawn(t)) }
    expectClose(run.values[0].array, expected)
    let trace = Trace(
      parameters: [Self.weight], values: [Self.start], gradients: Self.gradients.map { [$0] },
      batches: (0..<3).map { PlainObjective(sampled: Captures(drawn($0))) })
    expectClose(trace.runReference(optimizer.reference())[0], expected)
  }

  /// The same, where all updates after the first keep 0.9, as late ones do.
  @Test func goldenOfALateRun() throws {
    let optimizer = TNT(lr: 0.01, damping: 0.1, refreshPeriod: 1)
    var run = try OptimizerRun<Double>(optimizer, [Self.weight], values: [Self.start])
    for t in 0..<3 {
      try run.step([Self.gradients[t]], drawn(t))
      run.driver.restore(OptimizerState(tensors: run.driver.state.tensors, stepCount: 1000))
    }
    expectClose(
      run.values[0].array,
      [0.8791933299, 1.66573007, -1.3137223621, 0.3061989188, -0.7478640219, 1.8228892443])
  }

  /// U of every axis, from the state.
  private func covariances(_ run: OptimizerRun<Double>, _ axes: [Int]) -> [Matrix<Double>] {
    let count = Double(axes.reduce(1, *))
    let k = Double(axes.count)
    let H = axes.indices.map { run.symmetric("H\($0)", of: "w")! }
    let c = exp(log((0..<axes[0]).reduce(0) { $0 + H[0][$1, $1] } / count) / k)
    return axes.indices.map { i in
      let d = exp(log(c) * (k - 1)) * count / Double(axes[i])
      return Matrix(H[i].array.map { $0 / d }, rows: axes[i], columns: axes[i])
    }
  }

  @Test(arguments: [[4, 3], [3, 2, 2, 2]])
  func allAxesHaveTheSameMeanEigenvalue(shape: [Int]) throws {
    let role: ParameterRole = shape.count == 2 ? .linearWeight : .convolutionWeight
    let parameter = ParameterInfo(name: "w", shape: shape, role: role)
    let g = DenseLayer(samples: 1, inputs: parameter.count, outputs: 1).H.array
    var run = try OptimizerRun<Double>(TNT(statistics: .empirical), [parameter])
    try run.step([g])
    let axes = shape.count == 2 ? shape : [shape[0], shape[1], shape[2] * shape[3]]
    let U = covariances(run, axes)
    let means = U.map { u in (0..<u.rows).reduce(0) { $0 + u[$1, $1] } / Double(u.rows) }
    for mean in means { #expect(abs(mean - means[0]) < 1e-14 * means[0]) }
    // The trace of the product is that of the covariance.
    let trace = means.reduce(Double(parameter.count), *)
    #expect(abs(trace - g.reduce(0) { $0 + $1 * $1 }) < 1e-13 * trace)
  }

  /// Gradients L·Z·R with white Z: the covariance is a Kronecker product, and that is found.
  @Test func findsAKroneckerCovariance() throws {
    let parameter = ParameterInfo(name: "w", shape: [3, 2], role: .linearWeight)
    let L: Matrix<Double> = [[2, 0, 0], [1, 1, 0], [0, -1, 0.5]]
    let R: Matrix<Double> = [[1, 0.5], [0, 2]]
    var run = try OptimizerRun<Double>(
      TNT(lr: 1e-9, statistics: .empirical, beta: 0.999_999), [parameter])
    // Every sign of every entry once: exactly white.
    for signs in 0..<64 {
      let Z = Matrix<Double>(rows: 3, columns: 2) { i, j in signs >> (2 * i + j) & 1 == 0 ? 1 : -1 }
      try run.step([L.multiplied(by: Z).multiplied(by: R).array])
    }
    let U = covariances(run, [3, 2])
    let expected = kronecker(L.multiplied(by: L.transposed), R.transposed.multiplied(by: R))
    #expect(relativeDifference(kronecker(U[0], U[1]).array, expected.array) < 1e-12)
  }

  /// Statistics are of the drawn gradient, in the mean of its terms, and not of that of the data's labels.
  @Test func statisticsAreThoseOfDrawnLabels() throws {
    let layer = DenseLayer(samples: 5, inputs: 3, outputs: 2, hasBias: false)
    var run = try OptimizerRun<Double>(TNT(), layer.parameters)
    try run.step([[9, 9, 9, 9, 9, 9]], layer.layers)
    let S = layer.joined
    let (rows, columns) = (S.multiplied(by: S.transposed), S.transposed.multiplied(by: S))
    #expect(relativeDifference(run.symmetric("H0", of: "w")!.array, rows.array) < 1e-14)
    #expect(relativeDifference(run.symmetric("H1", of: "w")!.array, columns.array) < 1e-14)
  }

  /// Every inverse is that of its own covariance in steps 1 to 3 and then once in T₂ steps.
  @Test func inversesFollowTheirPeriod() throws {
    let layer = DenseLayer(samples: 5, inputs: 3, outputs: 2, hasBias: false)
    var run = try OptimizerRun<Double>(TNT(damping: 0.2, refreshPeriod: 4), layer.parameters)
    var isCurrent: [Bool] = []
    for t in 1...10 {
      let batch = DenseLayer(samples: 5, inputs: 3, outputs: 2, hasBias: false, seed: UInt64(t))
      try run.step(batch.gradients, batch.layers)
      let errors = covariances(run, [2, 3]).enumerated().map { i, U in
        let damped = Matrix<Double>(rows: U.rows, columns: U.rows) { U[$0, $1] + ($0 == $1 ? 0.2 : 0) }
        let product = damped.multiplied(by: run.state("I\(i)", of: "w")!)
        return relativeDifference(product.array, Matrix<Double>(identity: U.rows).array)
      }
      isCurrent.append(errors.allSatisfy { $0 < 1e-12 })
    }
    #expect(isCurrent == (1...10).map { $0 <= 3 || $0 % 4 == 1 })
  }

  /// Momentum gathers gradients: the inverses of a step are applied to all of it, also to what came before them.
  @Test func momentumIsPreconditionedAsAWhole() throws {
    let layer = DenseLayer(samples: 5, inputs: 3, outputs: 2, hasBias: false)
    var run = try OptimizerRun<Double>(TNT(lr: 1, damping: 0.2, refreshPeriod: 1), layer.parameters)
    var M = [Double](repeating: 0, count: 6)
    for t in 1...4 {
      let batch = DenseLayer(samples: 5, inputs: 3, outputs: 2, hasBias: false, seed: UInt64(t))
      let before = run.values[0].array
      try run.step(batch.gradients, batch.layers)
      M = zip(M, batch.gradients[0]).map { 0.9 * $0 + $1 }
      let Δ = run.state("I0", of: "w")!.multiplied(by: Matrix(M, rows: 2, columns: 3))
        .multiplied(by: run.state("I1", of: "w")!)
      #expect(relativeDifference(zip(before, run.values[0].array).map { $0 - $1 }, Δ.array) < 1e-12)
    }
  }

  /// One axis: the full covariance, damped and inverted.
  @Test func vectorsHaveOneBlock() throws {
    let parameter = ParameterInfo(name: "b", shape: [4], role: .bias)
    let g: [Double] = [1, -2, 0.5, 3]
    let optimizer = TNT(lr: 1, damping: 0.1, statistics: .empirical)
    let Δ = try OptimizerRun.direction(optimizer, [parameter], [g])[0]
    let square = g.reduce(0) { $0 + $1 * $1 }
    #expect(relativeDifference(Δ, g.map { $0 / (square + 0.1) }) < 1e-13)
  }

  /// A dense layer of one output is one block of J × J, as in MBF.
  @Test func oneOutputIsOneBlock() throws {
    let parameter = ParameterInfo(name: "w", shape: [1, 4], role: .linearWeight)
    let g: [Double] = [1, -2, 0.5, 3]
    let optimizer = TNT(lr: 1, damping: 1e-9, statistics: .empirical)
    let Δ = try OptimizerRun.direction(optimizer, [parameter], [g])[0]
    // c² = g·g/4; U₁ = c, U₂ = ggᵀ/c, so U₁⁻¹·U₂⁻¹·g = g/(g·g).
    let square = g.reduce(0) { $0 + $1 * $1 }
    #expect(relativeDifference(Δ, g.map { $0 / square }) < 1e-6)
  }

  @Test func ranksSpikesAndUnusedLayers() throws {
    let layer = DenseLayer(samples: 1, inputs: 6, outputs: 5)
    let spike = DenseLayer(H: layer.H, D: Matrix(layer.D.array.map { $0 * 1e6 }, rows: 1, columns: 5))
    let nothing = DenseLayer(H: Matrix(rows: 1, columns: 6), D: Matrix(rows: 1, columns: 5))
    let unused = ParameterInfo(name: "u", shape: [3, 2], role: .linearWeight, layer: "unused")
    var run = try OptimizerRun<Float>(TNT(refreshPeriod: 2), layer.parameters + [unused])
    let zeros = [Float](repeating: 0, count: 6)
    for t in 0..<40 {
      let batch = t == 10 ? spike : t < 2 ? nothing : layer
      let events = try run.step(
        batch.gradients.map { $0.map { Float($0) } } + [zeros],
        batch.layers.mapValues { $0.converted(to: Float.self) })
      #expect(events["layers without statistics"] == 1)
    }
    #expect(run.values.allSatisfy(\.isFinite) && run.values[2].array == zeros)
    #expect(run.values[0].array.contains { $0 != 0 })
  }
}
