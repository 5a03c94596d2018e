import FisherCurvature
import FisherLinearAlgebra
import FisherOptimizers
import FisherPluginKFAC
import OptimizerTestSupport
import Testing

/// What happens where a factor has no inverse, a layer no statistics, and a number is far too large.
@Suite struct KFACRobustnessTests {
  @Test func factorsOfRankZero() throws {
    let layer = DenseLayer(H: Matrix(rows: 3, columns: 4), D: Matrix(rows: 3, columns: 2), hasBias: false)
    var run = try OptimizerRun<Double>(KFAC(), layer.parameters)
    for _ in 0..<5 { #expect(try run.step(layer.gradients, layer.layers).isEmpty) }
    #expect(run.values[0].array.allSatisfy { $0 == 0 })
    // What remains is the damping: √λ on both sides.
    #expect(abs(run.state("Ai", of: "w")![1, 1] * KFAC().damping.squareRoot() - 1) < 1e-15)
  }

  @Test func factorsOfRankOne() throws {
    let layer = DenseLayer(samples: 1, inputs: 30, outputs: 20)
    var run = try OptimizerRun<Float>(KFAC(damping: 1e-4), layer.parameters)
    let capture = layer.layers.mapValues { $0.converted(to: Float.self) }
    for _ in 0..<5 { #expect(try run.step(layer.gradients.map { $0.map { Float($0) } }, capture).isEmpty) }
    #expect(run.values.allSatisfy { $0.isFinite && $0.array.contains { $0 != 0 } })
  }

  /// With so little damping the factors are singular in `Float`.
  @Test func failedInversesAreKeptAndCounted() throws {
    let layer = DenseLayer(samples: 1, inputs: 30, outputs: 20, hasBias: false)
    let capture = layer.layers.mapValues { $0.converted(to: Float.self) }
    var run = try OptimizerRun<Float>(KFAC(damping: 1e-30), layer.parameters)
    let gradients = layer.gradients.map { $0.map { Float($0) } }
    let first = try run.step(gradients, capture)
    #expect(first["inverses kept"] == 2)
    let before = run.state("Ai", of: "w")!
    #expect(before[3, 2] == 0 && before[3, 3] > 0 && before.isFinite)
    #expect(try run.step(gradients, capture)["inverses kept"] == 2)
    #expect(run.state("Ai", of: "w") == before)
  }

  @Test func aSpikeOfTheGradientPasses() throws {
    let layer = DenseLayer(samples: 8, inputs: 6, outputs: 5)
    let spike = DenseLayer(
      H: layer.H, D: Matrix(layer.D.array.map { $0 * 1e6 }, rows: 8, columns: 5))
    var run = try OptimizerRun<Float>(KFAC(refreshPeriod: 2), layer.parameters)
    for t in 0..<40 {
      let batch = t == 10 ? spike : layer
      let events = try run.step(
        batch.gradients.map { $0.map { Float($0) } },
        batch.layers.mapValues { $0.converted(to: Float.self) })
      #expect(events.isEmpty)
    }
    // The bound of the step holds for the spike as well.
    #expect(run.values.allSatisfy { $0.isFinite && $0.array.allSatisfy { abs($0) < 100 } })
  }

  @Test func aLayerWithoutCapturesIsCounted() throws {
    let layer = DenseLayer(samples: 4, inputs: 3, outputs: 2)
    let unused = ParameterInfo(name: "u", shape: [3, 2], role: .linearWeight, layer: "unused")
    var run = try OptimizerRun<Double>(KFAC(), layer.parameters + [unused])
    for _ in 0..<4 {
      let events = try run.step(layer.gradients + [[Double](repeating: 0, count: 6)], layer.layers)
      #expect(events == ["layers without statistics": 1])
    }
    #expect(run.values[2].array.allSatisfy { $0 == 0 } && run.values[0].array.allSatisfy { $0 != 0 })
  }

  @Test func missingStateIsRefused() throws {
    let layer = DenseLayer(samples: 4, inputs: 3, outputs: 2)
    var run = try OptimizerRun<Double>(KFAC(statisticsPeriod: 5), layer.parameters)
    try run.step(layer.gradients, layer.layers)
    run.driver.restore(OptimizerState(stepCount: 1))
    let values = run.values
    #expect {
      try run.step(layer.gradients, layer.layers)
    } throws: {
      "\($0)".contains("its state has no Ai")
    }
    #expect(run.values == values)
  }

  /// Weights and biases may be updated by different optimizers.
  @Test func weightsAndBiasesAlone() throws {
    let layer = DenseLayer(samples: 4, inputs: 3, outputs: 2)
    for part in 0..<2 {
      let trace = Trace(
        parameters: [layer.parameters[part]], values: [layer.gradients[part]],
        gradients: [[layer.gradients[part]], [layer.gradients[part]]],
        captures: [Captures(layer.layers), Captures(layer.layers)])
      let optimizer = KFAC(statistics: .empirical)
      let expected = trace.runReference(optimizer.reference())
      #expect(relativeError(try trace.run(optimizer, Double.self), expected) < 1e-12)
    }
  }

  /// A convolution in two groups: each sees its own channels.
  @Test func groupsOfAConvolution() throws {
    let shape = ConvolutionGeometry(
      channels: 4, height: 5, width: 4, outputs: 6, kernelHeight: 3, kernelWidth: 2, padding: 1, groups: 2)
    let parameters = [
      ParameterInfo(name: "c", shape: [6, 2, 3, 2], role: .convolutionWeight, layer: "c"),
      ParameterInfo(name: "b", shape: [6], role: .bias, layer: "c"),
    ]
    let one = DenseLayer(samples: 3, inputs: 80, outputs: 6 * shape.positions)
    let capture = LayerCapture<Double>(
      kind: .convolution(shape, hasBias: true), inputs: one.H, outputGradients: .ofMean(one.D, terms: 3),
      sampleCount: 3)
    let g = [Array(one.D.array[0..<72]), Array(one.D.array[72..<78])]
    for sharing in [WeightSharing.expand, .reduce] {
      let trace = Trace(
        parameters: parameters, values: g, gradients: [g, g],
        captures: [Captures(["c": capture]), Captures(["c": capture])])
      let optimizer = KFAC(damping: 0.5, statistics: .empirical, sharing: sharing)
      let expected = trace.runReference(optimizer.reference())
      #expect(relativeError(try trace.run(optimizer, Double.self), expected) < 1e-12)
    }
  }
}
