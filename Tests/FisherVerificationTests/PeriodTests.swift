import FisherKit
import FisherRuntime
import Testing

@testable import FisherVerification

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
    let steps = try FlopMeter.exclusively { try flops(of: name, from: 60, count: 40) }
    let passes = Self.parameters.reduce(0.0) { $0 + 6 * Double(Self.samples * $1.count) }
    let sorted = steps.map { $0 + passes }.sorted()
    let (median, longest) = (sorted[sorted.count / 2], sorted.last!)
    #expect(longest <= 3 * median, "\(name): \(longest / median) times the median")
  }

  private func flops(of name: String, from first: Int, count: Int) throws -> [Double] {
    let optimizer = try OptimizerRegistry.builtIn.type(name).init([:])
    var driver = try OptimizerDriver<Counted>(
      optimizer, parameters: Self.parameters, registry: .builtIn, backend: CountingBackend(), threads: 1)
    var generator = KeyedGenerator(7)
    func random(_ rows: Int, _ columns: Int) -> Matrix<Counted> {
      Matrix(rows: rows, columns: columns) { _, _ in Counted(generator.uniform()) }
    }
    let batch = RandomBatch.dense(Self.parameters, samples: Self.samples, outputs: 2).draw(&generator)
    var values = Self.parameters.map { random($0.rows, $0.columns) }
    var counts: [Double] = []
    for t in 0..<first + count {
      var gradients = Self.parameters.map { random($0.rows, $0.columns) }
      var counted = 0
      let audit = StepAudit { Counted.operations }
      _ = try driver.step(
        values: &values, gradients: &gradients,
        objective: batch.converted(to: Counted.self, needs: driver.needs), audit: audit)
      counted = audit.flops
      if t >= first { counts.append(Double(counted)) }
    }
    return counts
  }
}
