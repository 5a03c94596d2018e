import FisherLinearAlgebra
import FisherOptimizers
import FisherPluginFirstOrder
import FisherTestSupport
import OptimizerTestSupport
import Testing

/// Clipping and accumulation work wherever the gradients are numbers of their type.
@Suite struct GradientRangeTests {
  /// What a plain gradient step takes away from zeros, and the norm that it reports.
  private func step<S: KernelScalar>(
    _ gradients: [Matrix<S>], limit: Double
  ) throws -> (gradients: [[S]], norm: Double?) {
    let parameters = gradients.indices.map { i in
      ParameterInfo(name: "p\(i)", shape: [gradients[i].columns], role: .plain)
    }
    var driver = try OptimizerDriver<S>(
      try SGD(["lr": 1, "momentum": 0]), parameters: parameters, clipping: .norm(limit))
    var values = gradients.map { Matrix<S>(rows: 1, columns: $0.columns) }
    var gradients = gradients
    let report = try driver.step(
      values: &values, gradients: &gradients, objective: PlainObjective<S>())
    return (values.map { $0.array.map { -$0 } }, report.gradientNorm)
  }

  @Test func normsAreClippedInTheWholeRange() throws {
    try check(Float.self)
    try check(Double.self)
    func check<S: KernelScalar>(_: S.Type) throws {
      let (largest, least) = (S.greatestFiniteMagnitude, S.leastNormalMagnitude)
      let sizes = [largest, largest / 4, largest.squareRoot(), 1, least.squareRoot() / 1024, least * 1024]
      for size in sizes {
        // ‖g‖ = √2·size: in one tensor, and over two.
        for gradients: [Matrix<S>] in [
          [[[size, -size]]], [[[size]], [[-size]]], [[[0, size]], [[0]], [[-size]]],
        ] {
          for limit in [1, 1e-30, 1e-3 * Double(size), 0.5 * Double(size)] where limit <= Double(size) {
            let (got, norm) = try step(gradients, limit: limit)
            let expected = limit / 2.0.squareRoot()
            // What a step moves by less than the normal numbers is zero.
            let isBelow = expected < Double(least)
            let tolerance =
              8 * S.unitRoundoff * expected + Double(isBelow ? least : S.leastNonzeroMagnitude)
            for (a, b) in zip(got.flatMap { $0 }, gradients.flatMap(\.array)) {
              #expect(
                abs(Double(a) - (b == 0 ? 0 : b < 0 ? -expected : expected)) <= tolerance,
                "\(S.self) \(gradients.map(\.array)) to \(limit): \(got)")
            }
            let exact = Double(size) * 2.0.squareRoot()
            #expect(norm.map { abs($0 / exact - 1) < 8 * S.unitRoundoff || $0 == exact } ?? false)
          }
          // Within the limit nothing changes.
          let (got, _) = try step(gradients, limit: 3 * Double(size))
          if 3 * Double(size) < .infinity { #expect(got == gradients.map(\.array), "\(S.self) \(size)") }
        }
      }
      #expect(try step([Matrix<S>(rows: 1, columns: 2)], limit: 1).gradients == [[0, 0]])
    }
  }

  @Test func meansDoNotOverflowOrVanish() {
    check(Float.self)
    check(Double.self)
    func check<S: KernelScalar>(_: S.Type) {
      let huge = S.greatestFiniteMagnitude / 4
      let tiny = S.leastNonzeroMagnitude * 1024
      var accumulator = GradientAccumulator<S>()
      for i in 0..<16 { accumulator.add([[[huge, i % 2 == 0 ? huge : -huge, tiny, 1]]], count: 1 + i % 3) }
      let mean = accumulator.take()[0].array
      #expect(abs(mean[0] / huge - 1) < 64 * S.ulpOfOne)
      // 16 batches of 1, 2 and 3 terms in turn: 31 terms, 16 of them in the even ones.
      #expect(abs(mean[1] / huge - 1 / 31) < 64 * S.ulpOfOne, "\(mean)")
      #expect(abs(mean[2] / tiny - 1) < 0.02 && abs(mean[3] - 1) < 64 * S.ulpOfOne, "\(mean)")
    }
  }
}
