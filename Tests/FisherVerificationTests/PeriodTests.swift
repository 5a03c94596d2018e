import FisherKit
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
    var state: UInt64 = 7
    func random(_ rows: Int, _ columns: Int) -> Matrix<Double> {
      Matrix(rows: rows, columns: columns) { _, _ in
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return Double(Int64(bitPattern: state) >> 11) * 0x1p-52
      }
    }
    func pass<Kind>(_: Kind.Type) -> Captures<Double, Kind> {
      var layers: [String: LayerCapture<Double>] = [:]
      for p in Self.parameters {
        layers[p.layer!] = LayerCapture(
          kind: .linear(hasBias: false), inputs: random(Self.samples, p.columns),
          outputGradients: .ofMean(random(Self.samples, p.rows), terms: Self.samples),
          sampleCount: Self.samples)
      }
      return Captures(layers)
    }
    let batch = PlainObjective<Double>(
      sampleCount: Self.samples, captures: pass(Empirical.self),
      outputGradients: .ofMean(random(Self.samples, 2), terms: Self.samples), sampled: pass(Sampled.self),
      exact: ExactFisher(
        columns: (0..<2).map { _ in pass(Exact.self) }, coefficients: random(Self.samples, 2)),
      secondPass: { [second = pass(Empirical.self)] _ in second }, hessian: { $0 })
    var values = Self.parameters.map { random($0.rows, $0.columns).converted() }
    var counts: [Double] = []
    for t in 0..<first + count {
      var gradients = Self.parameters.map { random($0.rows, $0.columns).converted() }
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

extension Matrix<Double> {
  fileprivate func converted() -> Matrix<Counted> {
    Matrix<Counted>(array.map { Counted($0) }, rows: rows, columns: columns)
  }
}
