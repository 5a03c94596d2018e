import FisherCurvature
import FisherLinearAlgebra
import FisherOptimizers
import FisherPluginSOAP
import FisherTestSupport
import OptimizerTestSupport
import Testing

@Suite struct SOAPTests {
  /// Ten digits from an independent script in double precision.
  @Test func golden() throws {
    let expected = [1.006644026, 1.9967651624, -1.0007042575, 0.5020557798, -0.5020188012, 1.9901852248]
    let soap = SOAP(basisPeriod: 1)
    for found in [
      try goldenMatrixTrace.run(soap, Double.self)[0], goldenMatrixTrace.runReference(soap.reference())[0],
    ] {
      #expect(zip(found, expected).allSatisfy { abs($0 - $1) < 1e-10 }, "\(found)")
    }
  }

  /// Without a basis it is Adam, a step later: the first one only fills the factors.
  @Test func withoutABasisItIsAdam() throws {
    let gradients = (0..<6).map { random(4, 5, UInt64(10 + $0)) }
    let found = try steps(SOAP(lr: 1, eps: 0, weightDecay: 0, maxDimension: 0), weight(4, 5), gradients)
    #expect(found[0].array.allSatisfy { $0 == 0 })
    var (m, v) = ([Double](repeating: 0, count: 20), [Double](repeating: 0, count: 20))
    for n in 1..<6 {
      let g = gradients[n].array
      for i in 0..<20 {
        m[i] = 0.95 * m[i] + 0.05 * g[i]
        v[i] = 0.95 * v[i] + 0.05 * g[i] * g[i]
        let rest = 1 - 0.95.raised(to: n)
        #expect(abs(found[n].array[i] - m[i] / rest / (v[i] / rest).squareRoot()) < 1e-13)
      }
    }
  }

  /// With its own eigenbases, whose eigenvalues are distinct.
  @Test(arguments: [1, 3])
  func isEquivariant(period: Int) throws {
    let (Q, Z) = (rotation(5, 11), rotation(5, 12))
    let gradients = (0..<6).map { random(5, 5, UInt64(20 + $0)) }
    let turned = gradients.map { Q.multiplied(by: $0).multiplied(by: Z) }
    let soap = SOAP(lr: 1, weightDecay: 0, basisPeriod: period)
    for (a, b) in zip(try steps(soap, weight(5, 5), gradients), try steps(soap, weight(5, 5), turned)) {
      #expect(distance(Q.multiplied(by: a).multiplied(by: Z), b) < 1e-9)
    }
  }

  /// Whatever the bases do, Q_L·m·Q_Rᵀ is the average of the gradients.
  @Test(arguments: [1, 2])
  func theMomentumTurnsWithTheBasis(period: Int) throws {
    let gradients = (0..<8).map { random(5, 7, UInt64(30 + $0)) }
    let states = try states(SOAP(basisPeriod: period), gradients)
    var M = Matrix<Double>(rows: 5, columns: 7)
    for n in 1..<8 {
      M = Matrix(rows: 5, columns: 7) { 0.95 * M[$0, $1] + 0.05 * gradients[n][$0, $1] }
      func slot(_ name: String) -> Matrix<Double> { states[n].tensors[SlotKey("w", name)]! }
      let back = slot("QL").multiplied(by: slot("m")).multiplied(by: slot("QR").transposed)
      #expect(distance(back, M) < 1e-13)
      for Q in [slot("QL"), slot("QR")] {
        #expect(distance(Q.transposed.multiplied(by: Q), Matrix(identity: Q.rows)) < 1e-13)
      }
    }
  }

  /// Of diagonal gradients all bases are permutations. When the order of the eigenvalues changes, second moments go with
  /// their vectors: in the old places they are the averages of the squares.
  @Test func secondMomentsFollowTheirVectors() throws {
    let sizes: [[Double]] = [[5, 3, 1], [5, 3, 1], [1, 9, 2], [1, 2, 40], [60, 2, 1], [3, 90, 1]]
    let gradients = sizes.map { d in Matrix<Double>(rows: 3, columns: 3) { $0 == $1 ? d[$0] : 0 } }
    let states = try states(SOAP(basisPeriod: 1), gradients)
    var squares = [0.0, 0, 0]
    var orders: Set<[Int]> = []
    for n in 1..<6 {
      squares = zip(squares, sizes[n]).map { 0.95 * $0 + 0.05 * $1 * $1 }
      func slot(_ name: String) -> Matrix<Double> { states[n].tensors[SlotKey("w", name)]! }
      let (P, W) = (slot("QL"), slot("QR"))
      let order = (0..<3).map { j in (0..<3).first { abs(P[$0, j]) > 0.5 }! }
      orders.insert(order)
      for j in 0..<3 {
        #expect(abs(abs(W[order[j], j]) - 1) < 1e-12)
        #expect(abs(slot("v")[j, j] - squares[order[j]]) < 1e-10 * squares[order[j]], "step \(n)")
      }
    }
    #expect(orders.count > 1)
  }

  /// For a matrix that does not change, the columns become its eigenvectors, the largest first.
  @Test func theBasisFindsEigenvectors() throws {
    let V = rotation(6, 40)
    let A = V.multiplied(by: Matrix(rows: 6, columns: 6) { $0 == $1 ? 0.4.raised(to: $0) : 0 }).multiplied(
      by: V.transposed)
    var Q = rotation(6, 41)
    for _ in 0..<60 { Q = orthogonalIteration(A, from: Q).basis }
    let overlap = V.transposed.multiplied(by: Q)
    for i in 0..<6 { for j in 0..<6 { #expect(abs(abs(overlap[i, j]) - (i == j ? 1 : 0)) < 1e-12) } }
    // Only the lower triangle is read, and a shift leaves the eigenvectors.
    let lower = Matrix<Double>(rows: 6, columns: 6) { $0 >= $1 ? A[$0, $1] : .nan }
    let shifted = orthogonalIteration(lower, from: Q, shift: 0.3).basis
    for j in 0..<6 { #expect(abs(abs(dot(shifted.column(j), Q.column(j))) - 1) < 1e-12) }
  }

  /// Rank 1, a spike a million times as large, and nothing: steps stay steps.
  @Test func degenerateGradients() throws {
    for first in [[Self.rankOne, Self.rankOne], [Self.spike]] {
      for step in try steps(gentle, weight(6, 4), first + Self.rest) {
        #expect(step.array.allSatisfy { $0.isFinite && abs($0) < 100 })
      }
    }
  }

  /// A layer whose first gradient comes late: its first basis is the identity.
  @Test func anUnusedLayerStays() throws {
    let zero = Matrix<Float>(rows: 6, columns: 4)
    let taken = try steps(gentle, weight(6, 4), [zero, zero, zero, Self.rankOne, Self.rankOne, Self.rankOne])
    for step in taken[..<3] { #expect(step == zero) }
    for step in taken[3...] {
      #expect(step != zero && step.array.allSatisfy { $0.isFinite && abs($0) < 100 })
    }
    // v is not turned: the basis that follows the first spike finds m where v has seen little. Long, but a number.
    for step in try steps(gentle, weight(6, 4), [zero, zero, zero] + Self.rest) {
      #expect(step.array.allSatisfy { $0.isFinite })
    }
  }

  private let gentle = SOAP(lr: 1, weightDecay: 0, basisPeriod: 2)
  private static let rankOne = Matrix<Float>(rows: 6, columns: 4) { Float($0 + 1) * Float($1 - 2) * 0.01 }
  private static let spike = Matrix<Float>(rows: 6, columns: 4) { 1e6 * Float(($0 * 5 + $1 * 3) % 7 - 3) }
  private static let rest = [rankOne, spike, Matrix(rows: 6, columns: 4), rankOne, rankOne, spike, spike]

  /// A side that is too long keeps the identity; the other one turns.
  @Test func longSidesStay() throws {
    let state = try states(SOAP(maxDimension: 5), (0..<3).map { random(4, 6, UInt64(60 + $0)) }).last!
    #expect(state.tensors.keys.map(\.slot).sorted() == ["L", "QL", "m", "v"])
  }

  /// Parameters change their bases in turn, so that no step has to wait for all: each once in a period.
  @Test func basesChangeInTurn() throws {
    let parameters =
      (0..<3).map { weight(3, 4, "w\($0)") } + [
        ParameterInfo(name: "b", shape: [5], role: .bias)
      ]
    var run = try OptimizerRun<Double>(SOAP(basisPeriod: 6), parameters)
    var changed: [[Int]] = []
    for t in 0..<19 {
      let former = run.driver.state
      try run.step(parameters.map { random($0.rows, $0.columns, UInt64(100 * t) + UInt64($0.count)).array })
      changed.append(
        (0..<3).filter { former.tensors[SlotKey("w\($0)", "QL")] != run.state("QL", of: "w\($0)") })
    }
    #expect(changed[0] == [0, 1, 2])
    for n in 1..<19 { #expect(changed[n] == (n % 2 == 0 ? [n % 6 / 2] : []), "step \(n)") }
  }

  @Test func missingStateIsRefused() throws {
    var driver = try OptimizerDriver<Double>(SOAP(), parameters: [weight(3, 3)])
    var (values, gradients) = ([random(3, 3, 1)], [random(3, 3, 2)])
    driver.restore(OptimizerState(stepCount: 4))
    #expect {
      _ = try driver.step(values: &values, gradients: &gradients, objective: PlainObjective<Double>())
    } throws: {
      "\($0)".contains("has no QL")
    }
  }

  private func states(_ soap: SOAP, _ gradients: [Matrix<Double>]) throws -> [OptimizerState<Double>] {
    let (m, n) = (gradients[0].rows, gradients[0].columns)
    var driver = try OptimizerDriver<Double>(soap, parameters: [weight(m, n)], threads: 1)
    var values = [Matrix<Double>(rows: m, columns: n)]
    return try gradients.map { g in
      var gradients = [g]
      _ = try driver.step(values: &values, gradients: &gradients, objective: PlainObjective<Double>())
      return driver.state
    }
  }
}
