import FisherCurvature
import FisherLinearAlgebra
import FisherOptimizers
import FisherPluginSophia
import OptimizerTestSupport
import Testing

@Suite struct SophiaTests {
  private static let gradients: [[Double]] = [[0.1, -0.2, 0.3], [-0.3, 0.1, 0.2], [0.2, 0.4, -0.1]]
  private static let drawn: [[Double]] = [[0, 0, 0], [0.5, 0.2, 1], [0.4, -0.3, 0.8]]
  private let weight = ParameterInfo(name: "w", shape: [1, 3], role: .linearWeight, layer: "l")

  /// A batch of `samples` whose drawn gradient is q.
  private func batch(_ q: [Double], samples: Int = 2) -> PlainObjective<Double> {
    let H = Matrix<Double>(rows: samples, columns: q.count) { n, j in n == 0 ? q[j] : 0 }
    let D = Matrix<Double>(rows: samples, columns: 1) { n, _ in n == 0 ? Double(samples) : 0 }
    let capture = LayerCapture(
      kind: .linear(hasBias: false), inputs: H, outputGradients: .ofSum(D, terms: samples),
      sampleCount: samples)
    return PlainObjective(sampleCount: samples, sampled: Captures(["l": capture]))
  }

  /// Three steps of an independent program, whose curvature is drawn at the end of a step: here at the beginning of the next.
  @Test func golden() throws {
    let sophia = Sophia(lr: 0.1, hessianPeriod: 1)
    let trace = Trace(
      parameters: [weight], values: [[1, -2, 3]], gradients: Self.gradients.map { [$0] },
      batches: Self.drawn.map { batch($0) })
    let expected = [0.9323971288, -1.843588, 2.613887]
    for found in [try trace.run(sophia, Double.self)[0], trace.runReference(sophia.reference())[0]] {
      #expect(zip(found, expected).allSatisfy { abs($0 - $1) < 1e-10 }, "\(found)")
    }
  }

  private func steps(
    _ sophia: Sophia, _ gradients: [[Double]], _ drawn: [[Double]], samples: Int = 2
  ) throws -> [[Double]] {
    var driver = try OptimizerDriver<Double>(sophia, parameters: [weight], threads: 1)
    return try zip(gradients, drawn).map { g, q in
      var values = [Matrix<Double>(rows: 1, columns: 3)]
      var gradients = [Matrix(g, rows: 1, columns: 3)]
      _ = try driver.step(
        values: &values, gradients: &gradients,
        objective: batch(q, samples: samples).converted(to: Double.self, needs: driver.needs))
      return values[0].array.map { -$0 }
    }
  }

  /// No coordinate moves by more than α, whatever the gradient; without curvature each moves by it, and 0 by 0.
  @Test func everyCoordinateIsClipped() throws {
    let zeros = [[Double]](repeating: [0, 0, 0], count: 3)
    let spikes: [[Double]] = [[1e6, -1e-6, 0], [-1e6, 1e-9, 0], [1, 1, 0]]
    for Δ in try steps(Sophia(lr: 0.5, beta1: 0, weightDecay: 0), spikes, zeros) {
      #expect(Δ.map(abs) == [0.5, 0.5, 0])
    }
    for Δ in try steps(Sophia(lr: 0.5, weightDecay: 0), spikes, Self.drawn) {
      #expect(Δ.allSatisfy { abs($0) <= 0.5 })
    }
  }

  /// Where it is not clipped, a coordinate makes the Newton step m/(ρ·B·h), B the samples of the batch.
  @Test(arguments: [1, 2, 8])
  func newtonStepsInside(samples: Int) throws {
    let (g, q) = ([0.01, -0.02, 0.003], [1.0, 2, 0.5])
    let Δ = try steps(
      Sophia(lr: 1, beta1: 0, beta2: 0, rho: 1, weightDecay: 0), [g], [q], samples: samples)[0]
    let expected = zip(g, q).map { $0 / (Double(samples) * $1 * $1) }
    #expect(relativeDifference(Δ, expected) < 1e-12)
  }

  /// The curvature is drawn in steps 1, 1 + k, 1 + 2·k …, and only then asked for.
  @Test func curvatureHasAPeriod() throws {
    let sophia = Sophia(hessianPeriod: 3)
    let asked = (1...7).map { sophia.needs(step: $0).contains(.sampledLabels) }
    #expect(asked == [true, false, false, true, false, false, true])
    var driver = try OptimizerDriver<Double>(sophia, parameters: [weight], threads: 1)
    var curvatures: [Matrix<Double>] = []
    for t in 0..<7 {
      var (values, gradients) = ([Matrix<Double>(rows: 1, columns: 3)], [random(1, 3, UInt64(t))])
      _ = try driver.step(
        values: &values, gradients: &gradients, objective: batch(random(1, 3, UInt64(40 + t)).array))
      curvatures.append(driver.state.tensors[SlotKey("w", "h")]!)
    }
    let changes = zip(curvatures.dropFirst(), curvatures).map { $0 != $1 }
    #expect(changes == [false, false, true, false, false, true])
  }

  /// Nothing, a spike of a million, and a layer without captures: which moves by signs, and is counted.
  @Test func spikesAndUnusedLayers() throws {
    let unused = ParameterInfo(name: "u", shape: [2, 2], role: .linearWeight, layer: "unused")
    var driver = try OptimizerDriver<Float>(Sophia(lr: 1e-3, hessianPeriod: 2), parameters: [weight, unused])
    var values = driver.parameters.map { Matrix<Float>(rows: $0.rows, columns: $0.columns) }
    for t in 0..<20 {
      let size: Float = t == 6 ? 1e6 : t < 2 ? 0 : 0.1
      var gradients = [
        Matrix(repeating: size, rows: 1, columns: 3), Matrix<Float>(rows: 2, columns: 2),
      ]
      let report = try driver.step(
        values: &values, gradients: &gradients,
        objective: batch([Double](repeating: Double(size), count: 3))
          .converted(to: Float.self, needs: driver.needs))
      #expect(report.events["layers without statistics"] == (t % 2 == 0 ? 1 : nil))
    }
    #expect(values[0].array.allSatisfy { $0.isFinite && $0 < 0 && $0 > -0.02 })
    #expect(values[1].array.allSatisfy { $0 == 0 })
  }

  /// Sophia-H with a diagonal Hessian: its estimate is that of the diagonal times u², so with β₂ = 0 the step is
  /// m/(ρ·u²·h), and a step by the sign where the curvature is negative.
  @Test func hutchinsonOnADiagonal() throws {
    let diagonal = [1e3, -1e3, 2e3]
    let objective = PlainObjective<Double>(hessian: { direction in
      ["w": Matrix(zip(diagonal, direction["w"]!.array).map { $0 * $1 }, rows: 1, columns: 3)]
    })
    var sums = [0.0, 0, 0]
    for seed in 0..<400 {
      let sophia = Sophia(
        lr: 1, beta1: 0, beta2: 0, rho: 1, weightDecay: 0, estimator: .hutchinson, seed: seed)
      #expect(sophia.needs(step: 1) == [.gradients, .hessianProducts])
      var driver = try OptimizerDriver<Double>(sophia, parameters: [weight], threads: 1)
      var values = [Matrix<Double>(rows: 1, columns: 3)]
      var gradients = [Matrix<Double>([1e-5, 1e-5, 1e-5], rows: 1, columns: 3)]
      _ = try driver.step(values: &values, gradients: &gradients, objective: objective)
      let Δ = values[0].array.map { -$0 }
      #expect(Δ[1] == 1)
      for i in 0..<3 { sums[i] += 1e-5 / Δ[i] / 400 }
    }
    // The mean of u² is 1.
    #expect(abs(sums[0] / 1e3 - 1) < 0.2 && abs(sums[2] / 2e3 - 1) < 0.2, "\(sums)")
  }

  /// ρ is the paper's for each estimator, unless it is given.
  @Test func rhoFollowsTheEstimator() throws {
    let objective = PlainObjective<Double>(hessian: {
      $0.mapValues { _ in Matrix(repeating: 1e6, rows: 1, columns: 3) }
    })
    func step(_ sophia: Sophia) throws -> [Double] {
      var driver = try OptimizerDriver<Double>(sophia, parameters: [weight], threads: 1)
      var values = [Matrix<Double>(rows: 1, columns: 3)]
      var gradients = [Matrix<Double>([1e-3, 1e-3, 1e-3], rows: 1, columns: 3)]
      _ = try driver.step(values: &values, gradients: &gradients, objective: objective)
      return values[0].array
    }
    let plain = try step(Sophia(lr: 1, beta1: 0, weightDecay: 0, estimator: .hutchinson))
    let given = try step(Sophia(lr: 1, beta1: 0, rho: 0.02, weightDecay: 0, estimator: .hutchinson))
    for (a, b) in zip(plain, given) { #expect(abs(a) == 1 || abs(a / b - 2) < 1e-12) }
    #expect(plain.contains { abs($0) < 1 })
  }
}
