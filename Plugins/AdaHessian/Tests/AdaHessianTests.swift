import FisherLinearAlgebra
import FisherOptimizers
import FisherPluginAdaHessian
import OptimizerTestSupport
import Testing

@Suite struct AdaHessianTests {
  private static let gradients: [[Double]] = [[0.1, -0.2, 0.3], [-0.3, 0.1, 0.2], [0.2, 0.4, -0.1]]
  private static let curvatures: [[Double]] = [[0.5, 0.2, 1], [0.4, -0.3, 0.8], [0.6, 0.1, 0.9]]
  private let w = weight(1, 3)

  /// A batch whose Hessian is diagonal: z ⊙ (H·z) is that, whatever z.
  private func batch(_ diagonal: [Double], of name: String = "w") -> PlainObjective<Double> {
    PlainObjective(hessian: { direction in
      let v = direction[name]!
      return [name: Matrix(zip(diagonal, v.array).map { $0 * $1 }, rows: v.rows, columns: v.columns)]
    })
  }

  /// Three steps of an independent program.
  @Test func golden() throws {
    let method = AdaHessian(lr: 0.15, weightDecay: 0.01)
    let trace = Trace(
      parameters: [w], values: [[1, -2, 3]], gradients: Self.gradients.map { [$0] },
      batches: Self.curvatures.map { batch($0) })
    let expected = [1.0009569667, -1.9008259207, 2.8809654216]
    for found in [try trace.run(method, Double.self)[0], trace.runReference(method.reference())[0]] {
      #expect(zip(found, expected).allSatisfy { abs($0 - $1) < 1e-10 }, "\(found)")
    }
  }

  private func step(
    _ method: AdaHessian, _ parameter: ParameterInfo, _ g: [Double], _ objective: PlainObjective<Double>
  ) throws -> [Double] {
    var driver = try OptimizerDriver<Double>(method, parameters: [parameter], threads: 1)
    var values = [Matrix<Double>(rows: parameter.rows, columns: parameter.columns)]
    var gradients = [Matrix(g, rows: parameter.rows, columns: parameter.columns)]
    _ = try driver.step(values: &values, gradients: &gradients, objective: objective)
    return values[0].array.map(-)
  }

  /// With a diagonal Hessian the first step is Newton's, by magnitudes; with k = 0 the gradient's.
  @Test func newtonStepOnADiagonal() throws {
    let (g, h) = ([0.3, -2, 5], [4.0, -0.5, 10])
    let newton = try step(AdaHessian(lr: 1, eps: 0), w, g, batch(h))
    #expect(relativeDifference(newton, zip(g, h).map { $0 / abs($1) }) < 1e-12)
    let plain = try step(AdaHessian(lr: 1, eps: 0, hessianPower: 0), w, g, batch(h))
    #expect(relativeDifference(plain, g) < 1e-12)
  }

  /// Of a kernel's taps all have the mean curvature; a dense weight of the same elements has its own.
  @Test func curvatureIsAveragedOverTaps() throws {
    let kernel = ParameterInfo(name: "w", shape: [2, 1, 1, 3], role: .convolutionWeight)
    let h = [1.0, 2, 6, -10, 10, 40]
    let Δ = try step(AdaHessian(lr: 1, eps: 0), kernel, [Double](repeating: 1, count: 6), batch(h))
    #expect(relativeDifference(Δ, [1.0 / 3, 1.0 / 3, 1.0 / 3, 0.05, 0.05, 0.05]) < 1e-12)
    let own = try step(AdaHessian(lr: 1, eps: 0), weight(2, 3), [Double](repeating: 1, count: 6), batch(h))
    #expect(relativeDifference(own, h.map { 1 / abs($0) }) < 1e-12)
  }

  /// E[z ⊙ (H·z)] is the diagonal of H: the mean over many draws, whose spread comes from the other elements.
  @Test func probesFindTheDiagonal() throws {
    let H: Matrix<Double> = [[2, 0.5, -0.3], [0.5, -1, 0.2], [-0.3, 0.2, 0.7]]
    var sums = [0.0, 0, 0]
    let objective = PlainObjective<Double>(hessian: { direction in
      ["w": H.multiplied(by: direction["w"]!.transposed).transposed.compacted()]
    })
    // With β₂ = 0 the step tells |z ⊙ (H·z)|: all draws have the sign of the diagonal here.
    for seed in 0..<2000 {
      let Δ = try step(AdaHessian(lr: 1, beta2: 0, eps: 0, seed: seed), w, [1, 1, 1], objective)
      for i in 0..<3 { sums[i] += 1 / Δ[i] / 2000 }
    }
    #expect(zip(sums, [2, 1, 0.7]).allSatisfy { abs($0 - $1) < 0.05 }, "\(sums)")
  }

  /// The Hessian is asked in steps 1, 1 + T, 1 + 2·T …, and only then.
  @Test func curvatureHasAPeriod() throws {
    let method = AdaHessian(hessianPeriod: 3)
    let asked = (1...7).map { method.needs(step: $0).contains(.hessianProducts) }
    #expect(asked == [true, false, false, true, false, false, true])
  }

  /// Without curvature a step is bounded by ε; spikes, zeros and a run without Hessian.
  @Test func extremes() throws {
    let flat = try step(AdaHessian(lr: 1), w, [1e-4, 0, -1e-4], batch([0, 0, 0]))
    #expect(relativeDifference(flat, [1, 0, -1]) < 1e-12)
    let spike = try step(AdaHessian(lr: 1), w, [1e6, 1, 0], batch([1e6, 0, 1e6]))
    #expect(spike.allSatisfy { $0.isFinite })
    #expect {
      _ = try step(AdaHessian(), w, [1, 1, 1], PlainObjective())
    } throws: {
      "\($0)".contains("products of the Hessian")
    }
  }
}
