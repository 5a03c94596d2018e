import FisherCurvature
import FisherLinearAlgebra
import FisherOptimizers
import FisherPluginFOOF
import OptimizerTestSupport
import Testing

@Suite struct FOOFTests {
  private func direction(_ layer: DenseLayer, damping: Double) throws -> [Double] {
    let optimizer = FOOF(lr: 1, damping: damping, klClip: 0)
    return layer.joined(
      try OptimizerRun.direction(optimizer, layer.parameters, layer.gradients, layer.layers))
  }

  /// The numbers of K-FAC's golden layer, from an independent program.
  @Test func golden() throws {
    let layer = DenseLayer(H: [[1, 2], [0, -1]], D: [[0.5, -0.5], [1, 0.25]])
    let expected = [
      0.142326732673, -0.154702970297, 0.581683168317, -0.064975247525, -0.201113861386, 0.006188118812,
    ]
    let trace = Trace(
      parameters: layer.parameters, values: layer.gradients.map { $0.map { _ in 0 } },
      gradients: [layer.gradients], captures: [Captures(layer.layers)])
    let naive = trace.runReference(FOOF(lr: 1, damping: 0.3, klClip: 0).reference()).map { $0.map { -$0 } }
    for Δ in [try direction(layer, damping: 0.3), layer.joined(naive)] {
      #expect(zip(Δ, expected).allSatisfy { abs($0 - $1) < 1e-10 }, "\(Δ)")
    }
  }

  /// In linear regression the Gauss-Newton matrix is A ⊗ I: one step without damping solves it.
  @Test func isGaussNewtonInLinearRegression() throws {
    let layer = DenseLayer(samples: 9, inputs: 4, outputs: 3)
    // Weights of zero: d = −y, and the solution is the least-squares fit of y.
    let W = try direction(layer, damping: 1e-13)
    let residuals = layer.rows.multiplied(by: Matrix(W, rows: 3, columns: 5).transposed)
    let error = Matrix<Double>(rows: 9, columns: 3) { layer.D[$0, $1] - residuals[$0, $1] }
    // The normal equations: what is left is orthogonal to the inputs.
    let products = error.transposed.multiplied(by: layer.rows).array
    #expect(products.allSatisfy { abs($0) < 1e-11 })
  }

  @Test func invariantUnderMapsOfTheInputs() throws {
    let layer = DenseLayer(samples: 12, inputs: 4, outputs: 3)
    let B = Matrix<Double>(rows: 4, columns: 4) { i, j in (i == j ? 2 : 0) + 0.3 * Double(i - 2 * j) }
    let mapped = DenseLayer(H: layer.H.multiplied(by: B), D: layer.D)
    func outputs(_ layer: DenseLayer) throws -> [Double] {
      let Δ = Matrix(try direction(layer, damping: 1e-13), rows: 3, columns: 5)
      return layer.rows.multiplied(by: Δ.transposed).array
    }
    #expect(relativeDifference(try outputs(mapped), try outputs(layer)) < 1e-9)
  }

  /// Aᵢ is that of A in steps 1, 6, 11 … and with the first three, and stays in between while A goes on.
  @Test func theInverseFollowsItsPeriod() throws {
    let layer = DenseLayer(samples: 6, inputs: 4, outputs: 3)
    var run = try OptimizerRun<Double>(FOOF(damping: 0.3, refreshPeriod: 5), layer.parameters)
    var isCurrent: [Bool] = []
    for t in 1...12 {
      let batch = DenseLayer(samples: 6, inputs: 4, outputs: 3, seed: UInt64(t))
      try run.step(batch.gradients, batch.layers)
      let A = run.symmetric("A", of: "w")!
      let damped = Matrix<Double>(rows: 5, columns: 5) { A[$0, $1] + ($0 == $1 ? 0.3 : 0) }
      let product = damped.multiplied(by: run.state("Ai", of: "w")!).array
      isCurrent.append(relativeDifference(product, Matrix<Double>(identity: 5).array) < 1e-12)
    }
    #expect(isCurrent == (1...12).map { $0 <= 3 || $0 % 5 == 1 })
  }

  /// The output gradients enter by the gradient alone.
  @Test func outputGradientsDoNotMatter() throws {
    let layer = DenseLayer(samples: 5, inputs: 4, outputs: 3)
    let other = DenseLayer(samples: 5, inputs: 4, outputs: 3, seed: 9)
    let mixed = DenseLayer(H: layer.H, D: other.D)
    let optimizer = FOOF(lr: 1, damping: 0.1)
    let a = try OptimizerRun.direction(optimizer, layer.parameters, layer.gradients, layer.layers)
    let b = try OptimizerRun.direction(optimizer, layer.parameters, layer.gradients, mixed.layers)
    #expect(a == b)
  }

  @Test func spikesAndUnusedLayers() throws {
    let layer = DenseLayer(samples: 8, inputs: 6, outputs: 5)
    let spike = DenseLayer(H: Matrix(layer.H.array.map { $0 * 1e6 }, rows: 8, columns: 6), D: layer.D)
    let unused = ParameterInfo(name: "u", shape: [3, 2], role: .linearWeight, layer: "unused")
    var run = try OptimizerRun<Float>(FOOF(refreshPeriod: 2), layer.parameters + [unused])
    let zeros = [Float](repeating: 0, count: 6)
    for t in 0..<40 {
      let batch = t == 10 ? spike : layer
      let events = try run.step(
        batch.gradients.map { $0.map { Float($0) } } + [zeros],
        batch.layers.mapValues { $0.converted(to: Float.self) })
      #expect(events["layers without statistics"] == 1)
    }
    #expect(run.values.allSatisfy(\.isFinite) && run.values[2].array == zeros)
  }
}
