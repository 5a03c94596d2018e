import FisherLinearAlgebra
import FisherOptimizers
import FisherPluginSOAP
import OptimizerTestSupport
import Testing

/// KL-SOAP: SOAP in the eigenbases of factors that whiten one another.
@Suite struct WhitenedFactorTests {
  /// Ten digits from an independent script in double precision.
  @Test func golden() throws {
    let expected = [
      1.006146326445, 1.996730572203, -1.00084239311, 0.502050765574, -0.501717775348, 1.99037623431,
    ]
    let soap = SOAP(basisPeriod: 1, factors: .kl)
    for found in [
      try goldenMatrixTrace.run(soap, Double.self)[0], goldenMatrixTrace.runReference(soap.reference())[0],
    ] {
      #expect(zip(found, expected).allSatisfy { abs($0 - $1) < 1e-10 }, "\(found)")
    }
  }

  /// The state after each step.
  private func states(_ soap: SOAP, _ gradients: [Matrix<Double>]) throws -> [OptimizerState<Double>] {
    let (m, n) = (gradients[0].rows, gradients[0].columns)
    var run = try OptimizerRun<Double>(soap, [weight(m, n)])
    return try gradients.map { g in
      try run.step([g.array])
      return run.driver.state
    }
  }

  private func factor(_ slot: String, _ state: OptimizerState<Double>) -> Matrix<Double> {
    let lower = state.tensors[SlotKey("w", slot)]!
    return Matrix(rows: lower.rows, columns: lower.rows) { lower[max($0, $1), min($0, $1)] }
  }

  /// Gradients A·Z·B with white Z: the factors become A·Aᵀ and Bᵀ·B, up to a number that moves between them.
  @Test func findsAKroneckerCovariance() throws {
    let A: Matrix<Double> = [[2, 0, 0], [1, 1, 0], [0, -1, 0.5]]
    let B: Matrix<Double> = [[1, 0.5], [0, 2]]
    // Every sign of every entry, several times over.
    let gradients = (0..<64 * 12).map { t in
      A.multiplied(by: Matrix(rows: 3, columns: 2) { i, j in t >> (2 * i + j) & 1 == 0 ? 1 : -1 }).multiplied(
        by: B)
    }
    func distance(_ factors: SOAP.Factors) throws -> Double {
      let soap = SOAP(factorBeta: 0.99, basisPeriod: 1, factors: factors, damping: 0)
      let state = try states(soap, gradients).last!
      let found = kronecker(factor("L", state), factor("R", state))
      let wanted = kronecker(A.multiplied(by: A.transposed), B.transposed.multiplied(by: B))
      let scale = dot(found, wanted) / dot(found, found)
      return relativeDifference(found.array.map { $0 * scale }, wanted.array)
    }
    // A running average of a hundred samples is this near.
    #expect(try distance(.kl) < 0.15)
    // On such gradients G·Gᵀ is a multiple of A·Aᵀ too.
    #expect(try distance(.outer) < 0.15)
  }

  /// From the first gradient on, the product of the factors is on its scale, and a scale changes no step.
  @Test func startsOnTheScaleOfTheGradient() throws {
    let gradients = (0..<6).map { random(4, 3, UInt64(70 + $0)) }
    let soap = SOAP(lr: 1, eps: 0, weightDecay: 0, basisPeriod: 2, factors: .kl)
    let plain = try steps(soap, weight(4, 3), gradients)
    for c in [1e-6, 1, 1e6] {
      let scaled = gradients.map { g in Matrix(g.array.map { c * $0 }, rows: 4, columns: 3) }
      for (a, b) in zip(plain, try steps(soap, weight(4, 3), scaled)).dropFirst() {
        #expect(relativeDifference(a.array, b.array) < 1e-9)
      }
      let state = try states(soap, scaled)[0]
      let (L, R) = (factor("L", state), factor("R", state))
      let means = (0..<4).reduce(0) { $0 + L[$1, $1] / 4 } * (0..<3).reduce(0) { $0 + R[$1, $1] / 3 }
      let squares = dot(scaled[0], scaled[0]) / 12
      #expect(abs(means / squares - 1) < 1e-5)
    }
  }

  /// What is averaged step by step is the diagonal of the factor in its basis.
  @Test func diagonalsBelongToTheirFactors() throws {
    let gradients = (0..<8).map { random(5, 4, UInt64(90 + $0)) }
    for state in try states(SOAP(basisPeriod: 3, factors: .kl), gradients) {
      for (slot, basis, diagonal) in [("L", "QL", "dL"), ("R", "QR", "dR")] {
        let Q = state.tensors[SlotKey("w", basis)]!
        let turned = Q.transposed.multiplied(by: factor(slot, state)).multiplied(by: Q)
        let λ = state.tensors[SlotKey("w", diagonal)]!
        for j in 0..<Q.rows { #expect(abs(turned[j, j] - λ[0, j]) < 1e-13 * λ.array.max()!) }
      }
    }
  }

  /// The columns twice: after one gradient this factor is the same. SOAP's is twice as large.
  @Test func ofRepeatedColumns() throws {
    let g = random(3, 4, 80)
    let doubled = Matrix<Double>(rows: 3, columns: 8) { g[$0, $1 % 4] }
    for (factors, ratio) in [(SOAP.Factors.kl, 1.0), (.outer, 2)] {
      let soap = SOAP(factorBeta: 0.5, factors: factors)
      let one = factor("L", try states(soap, [g])[0])
      let two = factor("L", try states(soap, [doubled])[0])
      #expect(relativeDifference(two.array, one.array.map { ratio * $0 }) < 1e-12)
    }
  }

  /// Rank 1, a spike a million times as large, nothing at first: numbers stay numbers.
  @Test func degenerateGradients() throws {
    let rankOne = Matrix<Float>(rows: 6, columns: 4) { Float($0 + 1) * Float($1 - 2) * 0.01 }
    let spike = Matrix<Float>(rows: 6, columns: 4) { 1e6 * Float(($0 * 5 + $1 * 3) % 7 - 3) }
    let zero = Matrix<Float>(rows: 6, columns: 4)
    for first in [[rankOne, rankOne], [zero, zero, zero], [spike]] {
      let gradients =
        first + [Matrix<Float>](repeating: rankOne, count: 200) + [spike, zero, rankOne, rankOne, rankOne]
      let soap = SOAP(lr: 1, weightDecay: 0, basisPeriod: 2, factors: .kl)
      for step in try steps(soap, weight(6, 4), gradients) { #expect(step.isFinite) }
    }
  }
}
