import FisherCurvature
import FisherLinearAlgebra
import FisherOptimizers
import FisherPluginKFAC
import OptimizerTestSupport
import Testing

/// What the equations say, whatever the numbers.
@Suite struct KFACPropertyTests {
  /// Δ of a first step, as [w b] row by row.
  private func direction(
    _ layer: DenseLayer, damping: Double, _ split: DampingSplit = .pi
  ) throws -> [Double] {
    let optimizer = KFAC(
      lr: 1, damping: damping, dampingSplit: split, statistics: .empirical, klClip: 0)
    return layer.joined(
      try OptimizerRun.direction(optimizer, layer.parameters, layer.gradients, layer.layers))
  }

  @Test(arguments: [DampingSplit.pi, .even])
  func solvesTheKroneckerSystem(split: DampingSplit) throws {
    let layer = DenseLayer(samples: 6, inputs: 4, outputs: 3)
    var run = try OptimizerRun<Double>(
      KFAC(lr: 1, damping: 0.2, dampingSplit: split, statistics: .empirical, klClip: 0), layer.parameters)
    try run.step(layer.gradients, layer.layers)
    let (A, G) = (run.symmetric("A", of: "w")!, run.symmetric("G", of: "w")!)
    let λ = split.dampings(0.2, A, G)
    #expect(abs(λ.input * λ.output - 0.2) < 1e-15)
    func damped(_ X: Matrix<Double>, _ λ: Double) -> Matrix<Double> {
      Matrix(rows: X.rows, columns: X.rows) { X[$0, $1] + ($0 == $1 ? λ : 0) }
    }
    let F = kronecker(damped(G, λ.output), damped(A, λ.input))
    let Δ = layer.joined(run.values.map { $0.array.map(-) })
    let product = F.multiplied(by: Matrix(Δ, rows: Δ.count, columns: 1)).array
    #expect(relativeDifference(product, layer.joined.array) < 1e-13)
  }

  @Test func isTheFisherMatrixOfOneSample() throws {
    let layer = DenseLayer(samples: 1, inputs: 4, outputs: 3)
    var run = try OptimizerRun<Double>(KFAC(statistics: .empirical), layer.parameters)
    try run.step(layer.gradients, layer.layers)
    let F = kronecker(run.symmetric("G", of: "w")!, run.symmetric("A", of: "w")!)
    #expect(relativeDifference(F.array, layer.fisher.array) < 1e-15)
  }

  /// A loss of the pooled outputs: the output gradients of all positions are the same.
  @Test func reducedPositionsAreExactForPooledOutputs() throws {
    let positions = 4
    let one = DenseLayer(samples: positions, inputs: 3, outputs: 2)
    let D = Matrix<Double>(rows: positions, columns: 2) { one.D[0, $1] }
    let capture = LayerCapture<Double>(
      kind: .linear(hasBias: true), inputs: one.H, outputGradients: .ofSum(D, terms: 1), sampleCount: 1)
    var run = try OptimizerRun<Double>(KFAC(statistics: .empirical, sharing: .reduce), one.parameters)
    try run.step(one.gradients, ["l": capture])
    let F = kronecker(run.symmetric("G", of: "w")!, run.symmetric("A", of: "w")!)
    let v = D.transposed.multiplied(by: one.rows).array
    let exact = Matrix<Double>(rows: v.count, columns: v.count) { v[$0] * v[$1] }
    #expect(relativeDifference(F.array, exact.array) < 1e-14)
  }

  /// h → B·h and W → W·B⁻¹ with hardly any damping: what the step does to the outputs stays.
  @Test func invariantUnderMapsOfTheInputs() throws {
    let layer = DenseLayer(samples: 12, inputs: 4, outputs: 3)
    let B = Matrix<Double>(rows: 4, columns: 4) { i, j in (i == j ? 2 : 0) + 0.3 * Double(i - 2 * j) }
    let mapped = DenseLayer(H: layer.H.multiplied(by: B), D: layer.D)
    func outputs(_ layer: DenseLayer, _ Δ: [Double]) -> [Double] {
      let Δ = Matrix(Δ, rows: 3, columns: 5)
      return layer.rows.multiplied(by: Δ.transposed).array
    }
    let plain = outputs(layer, try direction(layer, damping: 1e-24))
    let other = outputs(mapped, try direction(mapped, damping: 1e-24))
    #expect(relativeDifference(other, plain) < 1e-9)
    let damped = outputs(mapped, try direction(mapped, damping: 0.1))
    #expect(relativeDifference(damped, outputs(layer, try direction(layer, damping: 0.1))) > 1e-2)
  }

  /// Halving h and doubling d leaves gradient and Fisher matrix.
  @Test func scaleMayMoveBetweenTheFactors() throws {
    let layer = DenseLayer(samples: 5, inputs: 4, outputs: 3, hasBias: false)
    func scaled(_ x: Matrix<Double>, _ c: Double) -> Matrix<Double> {
      Matrix(x.array.map { $0 * c }, rows: x.rows, columns: x.columns)
    }
    let moved = DenseLayer(H: scaled(layer.H, 0.5), D: scaled(layer.D, 2), hasBias: false)
    let change = { (split: DampingSplit) in
      relativeDifference(
        try direction(moved, damping: 0.1, split), try direction(layer, damping: 0.1, split))
    }
    #expect(try change(.pi) < 1e-14)
    #expect(try change(.even) > 1e-2)
  }

  @Test(arguments: [MomentumPlacement.before, .after])
  func clippingBoundsTheStep(placement: MomentumPlacement) throws {
    let layer = DenseLayer(samples: 5, inputs: 4, outputs: 3)
    func step(_ κ: Double) throws -> [Double] {
      let optimizer = KFAC(
        lr: 0.7, damping: 0.1, statistics: .empirical, placement: placement, klClip: κ)
      return layer.joined(
        try OptimizerRun.direction(optimizer, layer.parameters, layer.gradients, layer.layers))
    }
    let free = try step(0)
    // ⟨αΔ, αg⟩
    let size = 0.7 * zip(free, layer.joined.array).reduce(0) { $0 + $1.0 * $1.1 }
    #expect(try step(size * 1.001) == free)
    let bound = try step(size / 9)
    #expect(relativeDifference(bound, free.map { $0 / 3 }) < 1e-14)
  }

  @Test func layersTakeTurns() throws {
    let layers = 7
    let one = DenseLayer(samples: 3, inputs: 2, outputs: 2, hasBias: false)
    let parameters = (0..<layers).map {
      ParameterInfo(name: "w\($0)", shape: [2, 2], role: .linearWeight, layer: "\($0)")
    }
    let captures = Dictionary(uniqueKeysWithValues: (0..<layers).map { ("\($0)", one.layers["l"]!) })
    var run = try OptimizerRun<Double>(KFAC(statistics: .empirical, refreshPeriod: 10), parameters)
    var refreshes: [[Int]] = []
    for t in 0..<33 {
      let before = (0..<layers).map { run.state("Ai", of: "w\($0)") }
      let scaled = DenseLayer(H: [[Double(t + 1), 1], [1, 2], [0, 1]], D: one.D, hasBias: false)
      try run.step(
        (0..<layers).map { _ in one.gradients[0] }, captures.mapValues { _ in scaled.layers["l"]! })
      refreshes.append((0..<layers).filter { run.state("Ai", of: "w\($0)") != before[$0] })
    }
    for t in 0..<3 { #expect(refreshes[t] == Array(0..<layers)) }
    for start in 3..<23 {
      #expect(refreshes[start..<start + 10].flatMap { $0 }.sorted() == Array(0..<layers))
      #expect(refreshes[start].count <= 1)
    }
  }
}
