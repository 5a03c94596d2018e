import FisherCurvature
import FisherLinearAlgebra
import FisherOptimizers
import FisherPluginImprovedEmpiricalFisher
import OptimizerTestSupport
import Testing

@Suite struct SPRINGTests {
  private let weight = ParameterInfo(name: "w", shape: [1, 3], role: .linearWeight, layer: "l")

  /// Half the squared error of z = x·w against 0.
  ///
  /// - Parameter isMean: the curvature's root comes from a backward pass of the mean, in the scale of that.
  private func batch(
    _ X: Matrix<Double>, _ w: Matrix<Double>, isMean: Bool = false
  ) -> PlainObjective<Double> {
    let residuals = X.multiplied(by: w.transposed)
    func captures<Kind>(_ d: Matrix<Double>, _: Kind.Type) -> Captures<Double, Kind> {
      Captures([
        "l": LayerCapture(
          kind: .linear(hasBias: false), inputs: X,
          outputGradients: isMean
            ? .ofMean(Matrix(d.array.map { $0 / Double(X.rows) }, rows: X.rows, columns: 1), terms: X.rows)
            : .ofSum(d, terms: X.rows), sampleCount: X.rows)
      ])
    }
    let ones = Matrix<Double>(repeating: 1, rows: X.rows, columns: 1)
    return PlainObjective(
      sampleCount: X.rows, captures: captures(residuals, Empirical.self),
      exact: ExactFisher(columns: [captures(ones, Exact.self)], coefficients: residuals))
  }

  /// Weights after each step on batches one after the other, from (1, 1, 1).
  private func run(
    _ optimizer: any Optimizer, _ batches: [Matrix<Double>], isMean: Bool = false
  ) throws -> [Matrix<Double>] {
    var driver = try OptimizerDriver<Double>(optimizer, parameters: [weight], threads: 1)
    var values = [Matrix<Double>(repeating: 1, rows: 1, columns: 3)]
    return try batches.map { X in
      var gradients = [Matrix<Double>(rows: 1, columns: 3)]
      _ = try driver.step(
        values: &values, gradients: &gradients, objective: batch(X, values[0], isMean: isMean))
      return values[0]
    }
  }

  private let batches = (0..<6).map { random(2, 3, UInt64(50 + $0)) }

  /// Without its memory it is the natural gradient.
  @Test func withoutMemoryItIsNGD() throws {
    let spring = try run(SPRING(lr: 0.3, damping: 0.1, kept: 0, maxNorm: 0), batches)
    #expect(spring == (try run(NaturalGradient(lr: 0.3, damping: 0.1, trustRegion: 0), batches)))
    #expect(spring != (try run(SPRING(lr: 0.3, damping: 0.1, kept: 0.5, maxNorm: 0), batches)))
  }

  /// φ is the least-squares solution of the batch next to the former one, times μ; the numbers are worked out by hand: for
  /// x = (1, 0, 0), then (0, 2, 0), and λ = 1.
  @Test func golden() throws {
    let found = try run(
      SPRING(lr: 1, damping: 1, dampingMode: .absolute, kept: 0.5, maxNorm: 0),
      [[[1, 0, 0]], [[0, 2, 0]], [[1, 2, 0]]])
    // φ₁ = (1/2, 0, 0);  φ₂ = (1/4, 2/5·2/2, 0): V·V ᵀ + λ = 5, u = 2, increment 2·2/5.
    // φ₃: μφ = (1/8, 2/5, 0), V·μφ = 37/40, u = 1/4 + 2/5 = 13/20, w = −11/40/6, increment w·(1, 2, 0).
    let w = -11.0 / 240
    let expected: [[Double]] = [
      [0.5, 1, 1], [0.25, 0.2, 1], [0.25 - 0.125 - w, 0.2 - 0.4 - 2 * w, 1],
    ]
    for (a, b) in zip(found, expected) { #expect(relativeDifference(a.array, b) < 1e-12, "\(a.array)") }
  }

  /// One coordinate is asked about once in fifty steps: in between it goes on as it was told, without end for μ = 1.
  @Test func runsWithoutForgettingDiverge() throws {
    let batches = (0..<1000).map { t -> Matrix<Double> in t % 50 == 0 ? [[1, 0, 0]] : [[0, 1, 0]] }
    func last(_ μ: Double) throws -> Double {
      let optimizer = SPRING(lr: 0.15, damping: 0, dampingMode: .absolute, kept: μ, maxNorm: 0)
      return abs(try run(optimizer, batches).last![0, 0])
    }
    #expect(try last(1) > 1e10)
    #expect(try last(0.9) < 1e-3)
  }

  /// Everything is that of the sum of the losses, whatever the backward pass was one of.
  @Test func scaleOfTheBackwardPass() throws {
    let optimizer = SPRING(lr: 0.3, damping: 0.1, kept: 0.5, maxNorm: 0)
    let (sum, mean) = (try run(optimizer, batches), try run(optimizer, batches, isMean: true))
    for (a, b) in zip(sum, mean) { #expect(relativeDifference(a.array, b.array) < 1e-13) }
  }

  /// A step is at most as long as it may be.
  @Test func stepsAreBounded() throws {
    var before = Matrix<Double>(repeating: 1, rows: 1, columns: 3)
    for after in try run(SPRING(lr: 1, damping: 1e-3, kept: 0.99, maxNorm: 0.01), batches) {
      #expect(distance(before, after) <= 0.01 * (1 + 1e-12))
      before = after
    }
  }

  /// A batch without any curvature or residual keeps μ·φ.
  @Test func nothingIsAsked() throws {
    let zero = Matrix<Double>(rows: 2, columns: 3)
    let found = try run(SPRING(lr: 1, kept: 0.5, maxNorm: 0), [batches[0], zero, zero])
    let (first, second) = (zip(found[0].array, found[1].array), zip(found[1].array, found[2].array))
    let ratio = zip(second.map { $1 - $0 }, first.map { $1 - $0 }).map { $0 / $1 }
    #expect(ratio.allSatisfy { abs($0 - 0.5) < 1e-12 })
    #expect(try run(SPRING(), [zero, batches[0], batches[1]]).allSatisfy(\.isFinite))
  }
}
