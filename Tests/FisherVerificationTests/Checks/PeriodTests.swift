import FisherKit
import FisherVerification
import Testing

/// No step of a period is much longer than the others: what is computed now and then is computed in turn.
@Suite struct PeriodTests {
  private static let samples = 16
  /// Eight layers, none of which is most of the work.
  private static let parameters = (0..<8).map { i in
    ParameterInfo(name: "w\(i)", shape: [16 - i % 3, 14 + i % 4], role: .linearWeight, layer: "l\(i)")
  }

  /// In flops, passes included, at most three times the median, once the statistics are there.
  @Test(arguments: OptimizerRegistry.builtIn.names)
  func noStepIsMuchLonger(name: String) throws {
    let steps = try CountedSteps.flops(
      of: OptimizerRegistry.builtIn.type(name).init([:]), from: 60, count: 40, parameters: Self.parameters,
      samples: Self.samples, registry: .builtIn)
    let passes = Self.parameters.reduce(0.0) { $0 + 6 * Double(Self.samples * $1.count) }
    let sorted = steps.map { $0 + passes }.sorted()
    let (median, longest) = (sorted[sorted.count / 2], sorted.last!)
    #expect(longest <= 3 * median, "\(name): \(longest / median) times the median")
  }
}
