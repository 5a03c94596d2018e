import FisherLinearAlgebra
import FisherOptimizers
import FisherPluginMiniBlockFisher
import FisherRuntime
import OptimizerTestSupport
import Testing

/// Numbers of an independent program in double precision: statistics are gathered over three gradients, which then
/// come again.
@Suite struct MiniBlockGoldenTests {
  static let gradients: [[Double]] = [
    [0.1, -0.2, 0.3, 0.4, 0.5, -0.6], [-0.3, 0.1, 0.2, 0.2, -0.1, 0.4], [0.2, 0.3, -0.1, -0.4, 0.1, 0.2],
  ]
  static let settings: [String: SettingValue] = [
    "lr": 0.05, "beta": 0.9, "damping": 0.01, "momentum": 0.9, "weightDecay": 0.1, "statisticsPeriod": 1,
    "inversePeriod": 1, "warmStart": 3,
  ]

  private func check(_ parameter: ParameterInfo, _ expected: [Double], G: [Double]? = nil) throws {
    let start: [Double] = [1, 2, -1, 0.5, -0.5, 2]
    var run = try Run(Self.settings, [parameter], values: [start])
    for g in Self.gradients { try run.step([g]) }
    #expect(run.values[0].array == start, "gathering moves the weights")
    for g in Self.gradients { try run.step([g]) }
    let trace = Trace(
      parameters: [parameter], values: [start],
      gradients: (Self.gradients + Self.gradients).map { [$0] })
    let reference = trace.runReference(try MiniBlockFisher(Self.settings).reference())[0]
    for values in [run.values[0].array, reference] {
      #expect(zip(values, expected).allSatisfy { abs($0 - $1) < 1e-10 }, "\(values)")
    }
    if let G {
      // Of a shared block the lower triangle is kept.
      let lower = try #require(run.state("G", of: parameter.name))
      let found = (0..<9).map { lower[max($0 / 3, $0 % 3), min($0 / 3, $0 % 3)] }
      #expect(zip(found, G).allSatisfy { abs($0 - $1) < 1e-10 } && found.count == G.count, "\(found)")
    }
  }

  @Test func dense() throws {
    try check(
      ParameterInfo(name: "w", shape: [2, 3], role: .linearWeight),
      [0.7838475383, 1.4466634549, -1.7490340502, -0.0442900953, -1.5144793304, 1.5488600421],
      G: [0.08335, 0.019, -0.04325, 0.019, 0.06125, -0.05405, -0.04325, -0.05405, 0.106])
  }

  @Test func convolution() throws {
    try check(
      ParameterInfo(name: "c", shape: [1, 2, 1, 3], role: .convolutionWeight),
      [0.6807051196, 1.5976657633, -2.2137723865, 0.1231510439, -1.5348751096, 1.4779072951])
  }
}
