import FisherCurvature
import FisherLinearAlgebra
import FisherOptimizers
import FisherPluginKFAC
import OptimizerTestSupport
import Testing

/// Numbers of an independent program in double precision, and of the update worked out by hand.
@Suite struct KFACGoldenTests {
  static let layer = DenseLayer(H: [[1, 2], [0, -1]], D: [[0.5, -0.5], [1, 0.25]])

  private func check(_ split: DampingSplit, _ expected: [Double]) throws {
    let layer = Self.layer
    let optimizer = KFAC(lr: 1, damping: 0.3, dampingSplit: split, statistics: .empirical, klClip: 0)
    let Δ = try OptimizerRun.direction(optimizer, layer.parameters, layer.gradients, layer.layers)
    let trace = Trace(
      parameters: layer.parameters, values: layer.gradients.map { $0.map { _ in 0 } },
      gradients: [layer.gradients], captures: [Captures(layer.layers)])
    let naive = trace.runReference(optimizer.reference()).map { $0.map { -$0 } }
    for Δ in [Δ, naive] {
      #expect(zip(layer.joined(Δ), expected).allSatisfy { abs($0 - $1) < 1e-10 }, "\(Δ)")
    }
  }

  @Test func splitByTraces() throws {
    try check(
      .pi, [0.1044731178, -0.0867161236, 0.4001354771, -0.1243949904, -0.3551134741, -0.0180714972])
  }

  @Test func splitEvenly() throws {
    try check(
      .even, [0.1036315034, -0.1016903343, 0.4125848444, -0.0879348585, -0.2621877137, -0.0016168619])
  }

  @Test func factors() throws {
    var run = try OptimizerRun<Double>(KFAC(statistics: .empirical), Self.layer.parameters)
    try run.step(Self.layer.gradients, Self.layer.layers)
    #expect(run.symmetric("A", of: "w") == [[0.5, 1, 0.5], [1, 2.5, 0.5], [0.5, 0.5, 1]])
    #expect(run.symmetric("G", of: "w") == [[0.625, 0], [0, 0.15625]])
  }
}
