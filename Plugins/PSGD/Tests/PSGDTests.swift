import FisherLinearAlgebra
import FisherOptimizers
import FisherPluginPSGD
import OptimizerTestSupport
import Testing

@Suite struct PSGDTests {
  /// Ten digits from an independent script in double precision, which draws the same V.
  @Test(
    arguments: [
      (
        PSGD(lr: 0.1, weightDecay: 0.01),
        [0.99153010181, 2.02207815632, -1.204415423488, 0.330229411379, -0.70116145542, 2.12995939578]
      ),
      (
        PSGD(lr: 0.1, factorRate: 0.3, weightDecay: 0.01, maxDimension: 2),
        [0.986702000326, 2.006042472068, -1.267593173915, 0.340984929173, -0.707598811227, 2.089081366088]
      ),
    ])
  func golden(psgd: PSGD, expected: [Double]) throws {
    for found in [
      try goldenMatrixTrace.run(psgd, Double.self)[0], goldenMatrixTrace.runReference(psgd.reference())[0],
    ] {
      #expect(zip(found, expected).allSatisfy { abs($0 - $1) < 1e-10 }, "\(found)")
    }
  }

  private let L: Matrix<Double> = [[2, 0, 0], [1, 1, 0], [0, -1, 0.5]]
  private let R: Matrix<Double> = [[1, 0.5], [0, 2]]

  /// L·Z·R with every sign of every entry of Z, in an order without correlations.
  private func gradients(_ count: Int) -> [Matrix<Double>] {
    (0..<count).map { t in
      let place = t * 37 % 64
      return L.multiplied(
        by: Matrix(rows: 3, columns: 2) { i, j in place >> (2 * i + j) & 1 == 0 ? 1 : -1 }
      ).multiplied(by: R)
    }
  }

  /// With Q_l⁻¹·Q_l⁻ᵀ ⊗ Q_r⁻¹·Q_r⁻ᵀ the roots of the gradient's covariance, E[XXᵀ] = E[YYᵀ], and nothing moves in the mean: the
  /// factors come there.
  @Test func whitensAKroneckerCovariance() throws {
    var run = try OptimizerRun<Double>(PSGD(beta: 0, factorRate: 0.02, flatSteps: 100_000), [weight(3, 2)])
    var mean = Matrix<Double>(rows: 6, columns: 6)
    for (t, g) in gradients(6000).enumerated() {
      try run.step([g.array])
      if t < 4000 { continue }
      // P = QᵀQ on each side; P·C·P = I for the covariance C.
      let P = ["Q1", "Q2"].map { run.state($0, of: "w")! }.map { $0.transposed.multiplied(by: $0) }
      axpy(alpha: 1.0 / 2000, kronecker(P[0], P[1]), into: &mean)
    }
    let C = kronecker(L.multiplied(by: L.transposed), R.transposed.multiplied(by: R))
    let product = mean.multiplied(by: C).multiplied(by: mean)
    // A step is divided by the norm of A + B, which is large when B is: that moves the mean by this much.
    #expect(distance(product, Matrix(identity: 6)) < 0.4, "\(product)")
  }

  /// Upper triangular with a positive diagonal, whatever comes.
  @Test func factorsStayTriangularAndInvertible() throws {
    let rankOne = Matrix<Double>(rows: 4, columns: 6) { Double($0 + 1) * Double($1 - 2) * 0.01 }
    let spike = Matrix<Double>(rows: 4, columns: 6) { 1e6 * Double(($0 * 5 + $1 * 3) % 7 - 3) }
    var run = try OptimizerRun<Double>(PSGD(factorRate: 0.5), [weight(4, 6)])
    for t in 0..<300 {
      let g = t % 50 == 49 ? spike : t % 3 == 0 ? random(4, 6, UInt64(t)) : rankOne
      try run.step([g.array])
      for slot in ["Q1", "Q2"] {
        let Q = run.state(slot, of: "w")!
        for i in 0..<Q.rows {
          #expect(Q[i, i] > 0)
          for j in 0..<i { #expect(Q[i, j] == 0) }
        }
      }
    }
  }

  /// The first gradient is brought to the scale of V: whitened by multiples of the identity it has the mean square 1.
  @Test(arguments: [1e-6, 1, 1e6])
  func startsOnTheScaleOfTheGradient(c: Double) throws {
    let g = Matrix(random(5, 3, 1).array.map { c * $0 }, rows: 5, columns: 3)
    let Δ = try steps(PSGD(lr: 1, factorRate: 0, damping: 0, bound: 10), weight(5, 3), [g])[0]
    #expect(abs(nrm2(Δ) / 15.squareRoot() - 1) < 1e-12)
    #expect(abs(dot(Δ, g) / (nrm2(Δ) * nrm2(g)) - 1) < 1e-12)
  }

  /// No step is longer than the bound in the root mean square.
  @Test func stepsAreBounded() throws {
    let gradients = (0..<30).map { t in
      Matrix<Double>(random(4, 4, UInt64(t)).array.map { $0 * (t % 10 == 9 ? 1e6 : 1) }, rows: 4, columns: 4)
    }
    let lengths = try steps(PSGD(lr: 1, bound: 0.7), weight(4, 4), gradients).map { nrm2($0) / 4 }
    #expect(lengths.allSatisfy { $0 <= 0.7 + 1e-12 } && lengths.contains { $0 > 0.7 - 1e-12 })
  }

  /// Zeros from the first step on, a late gradient, and a long time without one.
  @Test func zerosAreNumbers() throws {
    let zero = [Float](repeating: 0, count: 24)
    let some = (0..<24).map { Float($0 - 11) * 0.01 }
    var run = try OptimizerRun<Float>(
      PSGD(lr: 1), [weight(6, 4), ParameterInfo(name: "b", shape: [24], role: .bias)])
    for _ in 0..<20 { try run.step([zero, zero]) }
    #expect(run.values.allSatisfy { $0.array.allSatisfy { $0 == 0 } } && run.state("Q1", of: "w") == nil)
    for t in 0..<3000 {
      let g = t < 3 || t == 2900 ? some : zero
      let before = run.values
      try run.step([g, g])
      for (old, new) in zip(before, run.values) {
        #expect(zip(old.array, new.array).allSatisfy { abs($0 - $1) < 20 } && new.isFinite)
      }
    }
    #expect(run.values.allSatisfy { $0.array.contains { $0 != 0 } })
  }

  /// All steps at first, then the share falls to the least one; the parameters take turns.
  @Test func updatesBecomeRare() throws {
    let parameters = (0..<4).map { weight(2, 3, "w\($0)") }
    var run = try OptimizerRun<Double>(
      PSGD(flatSteps: 10, shareDecay: 0.1, leastShare: 0.05), parameters)
    var counts: [Int] = []
    for t in 0..<300 {
      let former = run.driver.state
      try run.step(parameters.indices.map { random(2, 3, UInt64(4 * t + $0)).array })
      counts.append(
        parameters.count { former.tensors[SlotKey($0.name, "Q1")] != run.state("Q1", of: $0.name) })
    }
    #expect(counts[..<10].allSatisfy { $0 == 4 })
    // One is updated, another one may be balanced.
    #expect(counts[100...].max()! <= 2)
    // Four parameters, a twentieth of the steps.
    #expect(abs(counts[100...].reduce(0, +) - 40) <= 4)
  }

  /// Of a vector the factor is diagonal: with a gradient that only has signs, whitening leaves these.
  @Test func vectorsHaveDiagonalFactors() throws {
    let bias = ParameterInfo(name: "w", shape: [5], role: .bias)
    var run = try OptimizerRun<Double>(PSGD(beta: 0, flatSteps: 10_000), [bias])
    let sizes = [1e-2, 1, 10, 0.1, 3]
    for t in 0..<2000 { try run.step([sizes.enumerated().map { (t >> $0 & 1 == 0 ? 1 : -1) * $1 }]) }
    let Q = run.state("Q2", of: "w")!
    #expect(Q.rows == 1)
    // One sample is a rough estimate; the sizes differ by a thousand.
    for (q, size) in zip(Q.array, sizes) { #expect((0.2...5).contains(q * q * size)) }
  }

  @Test func seedsDraw() throws {
    let gradients = (0..<4).map { random(3, 3, UInt64($0)) }
    let one = try steps(PSGD(seed: 1), weight(3, 3), gradients)
    #expect(try steps(PSGD(seed: 1), weight(3, 3), gradients) == one)
    #expect(try steps(PSGD(seed: 2), weight(3, 3), gradients) != one)
  }
}
