import FisherLinearAlgebra
import FisherOptimizers
import FisherPluginShampoo
import FisherTestSupport
import OptimizerTestSupport
import Testing

/// Shampoo without momentum, decay and graft, whose first step is preconditioned.
func bare(
  beta2: Double = 1, damping: Double = 1e-12, graft: Shampoo.Graft = .none, sides: Shampoo.Sides = .all,
  root: Shampoo.Root = .eigen, blockSize: Int? = nil, rootPeriod: Int = 1
) -> Shampoo {
  Shampoo(
    lr: 1, beta1: 0, beta2: beta2, damping: damping, dampingForm: .absolute, graft: graft, startStep: 1,
    rootPeriod: rootPeriod, blockSize: blockSize, sides: sides, root: root)
}

@Suite struct ShampooTests {
  /// Ten digits from an independent script in double precision.
  @Test func golden() throws {
    for (graft, expected) in [
      (
        Shampoo.Graft.none,
        [0.9563685158, 1.9360653636, -1.1071216272, 0.4497363683, -0.5788371863, 1.9786365893]
      ),
      (.adagrad, [0.9076236733, 1.9143752151, -1.1674769934, 0.4161867743, -0.6313146349, 1.9883588449]),
    ] {
      var shampoo = bare(damping: 1e-4, graft: graft)
      shampoo.lr = 0.1
      for found in [
        try goldenMatrixTrace.run(shampoo, Double.self)[0],
        goldenMatrixTrace.runReference(shampoo.reference())[0],
      ] {
        #expect(zip(found, expected).allSatisfy { abs($0 - $1) < 1e-10 }, "\(found)")
      }
    }
  }

  /// Without damping the first step has the singular vectors of the gradient, and singular values 1: σ·σ^(−½)·σ^(−½). The
  /// spectrum is generic; identity cannot tell roots apart.
  @Test(arguments: [(4, 4), (6, 3), (3, 6)], [Shampoo.Sides.all, .shorter])
  func firstStepIsOrthogonal(shape: (m: Int, n: Int), sides: Shampoo.Sides) throws {
    let (m, n) = shape
    let (U, V) = (rotation(m, 3), rotation(n, 4))
    let D = Matrix<Double>(rows: m, columns: n) { $0 == $1 ? [5, 0.7, 2.3, 0.2][$0] : 0 }
    let G = U.multiplied(by: D).multiplied(by: V.transposed)
    let step = try steps(bare(damping: 1e-13, sides: sides), weight(m, n), [G])[0]
    let inner = U.transposed.multiplied(by: step).multiplied(by: V)
    for i in 0..<m { for j in 0..<n { #expect(abs(inner[i, j] - (i == j ? 1 : 0)) < 1e-8, "\(inner)") } }
  }

  @Test(arguments: [(5, 9), (9, 5), (6, 6)], [Shampoo.Graft.none, .sgd])
  func isEquivariant(shape: (m: Int, n: Int), graft: Shampoo.Graft) throws {
    let (m, n) = shape
    let (Q, Z) = (rotation(m, 11), rotation(n, 12))
    let gradients = (0..<4).map { random(m, n, UInt64(20 + $0)) }
    let turned = gradients.map { Q.multiplied(by: $0).multiplied(by: Z) }
    let shampoo = bare(beta2: 0.9, damping: 0.01, graft: graft)
    for (a, b) in zip(try steps(shampoo, weight(m, n), gradients), try steps(shampoo, weight(m, n), turned)) {
      #expect(distance(Q.multiplied(by: a).multiplied(by: Z), b) < 1e-12)
    }
  }

  /// A vector has one axis: (Σ g·gᵀ + λ·I)^(−½)·g.
  @Test func aVectorIsFullMatrixAdaGrad() throws {
    let vector = ParameterInfo(name: "b", shape: [6], role: .bias)
    let gradients = (0..<5).map { random(1, 6, UInt64(30 + $0)) }
    let found = try steps(bare(damping: 0.01), vector, gradients)
    var H = Matrix<Double>(rows: 6, columns: 6) { $0 == $1 ? 0.01 : 0 }
    for (g, found) in zip(gradients, found) {
      syrk(g.transposed, beta: 1, into: &H, mirror: true)
      let root = try SymmetricEigen(H).function { 1 / $0.squareRoot() }
      #expect(distance(g.multiplied(by: root), found) < 1e-12)
    }
  }

  /// Of order 3, every axis by itself: outputs, channels, taps, with exponents −1/6.
  @Test func aConvolutionHasThreeAxes() throws {
    let kernel = ParameterInfo(name: "c", shape: [3, 4, 1, 2], role: .convolutionWeight)
    let G = random(3, 8, 8)
    func element(_ i: Int, _ j: Int, _ k: Int) -> Double { G[i, 2 * j + k] }
    var driver = try OptimizerDriver<Double>(bare(damping: 0.1), parameters: [kernel], threads: 1)
    var (values, gradients) = ([Matrix<Double>(rows: 3, columns: 8)], [G])
    _ = try driver.step(values: &values, gradients: &gradients, objective: PlainObjective<Double>())
    let P = (1...3).map { driver.state.tensors[SlotKey("c", "P\($0)")]! }
    let H: [(Int, (Int, Int) -> Double)] = [
      (
        3,
        { a, b in
          (0..<4).reduce(0) { s, j in s + (0..<2).reduce(0) { $0 + element(a, j, $1) * element(b, j, $1) } }
        }
      ),
      (
        4,
        { a, b in
          (0..<3).reduce(0) { s, i in s + (0..<2).reduce(0) { $0 + element(i, a, $1) * element(i, b, $1) } }
        }
      ),
      (
        2,
        { a, b in
          (0..<3).reduce(0) { s, i in s + (0..<4).reduce(0) { $0 + element(i, $1, a) * element(i, $1, b) } }
        }
      ),
    ]
    for (P, (n, product)) in zip(P, H) {
      let damped = Matrix<Double>(rows: n, columns: n) { product($0, $1) + ($0 == $1 ? 0.1 : 0) }
      var power = damped
      for _ in 0..<6 { power = P.multiplied(by: power) }
      #expect(distance(power, Matrix(identity: n)) < 1e-11)
    }
    for i in 0..<3 {
      for j in 0..<4 {
        for k in 0..<2 {
          var sum = 0.0
          for a in 0..<3 {
            for b in 0..<4 {
              for c in 0..<2 { sum += P[0][i, a] * P[1][j, b] * P[2][k, c] * element(a, b, c) }
            }
          }
          #expect(abs(values[0][i, 2 * j + k] + sum) < 1e-12)
        }
      }
    }
  }

  /// The length is the graft's, the direction its own.
  @Test(arguments: [Shampoo.Graft.sgd, .adagrad, .adam])
  func graftsLengths(graft: Shampoo.Graft) throws {
    let gradients = (0..<4).map { random(5, 7, UInt64(40 + $0)) }
    let own = try steps(bare(damping: 0.01), weight(5, 7), gradients)
    let grafted = try steps(bare(damping: 0.01, graft: graft), weight(5, 7), gradients)
    var later = bare(damping: 0.01, graft: graft)
    later.startStep = 100
    let model = try steps(later, weight(5, 7), gradients)
    for i in 0..<4 {
      #expect(abs(nrm2(grafted[i]) / nrm2(model[i]) - 1) < 1e-14)
      #expect(abs(dot(grafted[i], own[i]) / (nrm2(grafted[i]) * nrm2(own[i])) - 1) < 1e-14)
    }
    // Before the first preconditioned step it is the other method.
    if graft == .sgd { #expect(model == gradients) }
  }

  /// Blocks are tensors of their own.
  @Test func blocksAreIndependent() throws {
    let G = (0..<3).map { random(5, 7, UInt64(50 + $0)) }
    let whole = try steps(bare(damping: 0.01, blockSize: 4), weight(5, 7), G)
    for (rows, columns) in [(0..<2, 0..<3), (0..<2, 3..<7), (2..<5, 0..<3), (2..<5, 3..<7)] {
      let part = try steps(
        bare(damping: 0.01), weight(rows.count, columns.count),
        G.map { $0[rows: rows, columns: columns].compacted() })
      for (whole, part) in zip(whole, part) {
        #expect(distance(whole[rows: rows, columns: columns], part) < 1e-13)
      }
    }
  }

  private let kl = Shampoo(
    lr: 1, beta1: 0, beta2: 0.9, damping: 0, graft: Shampoo.Graft.none, startStep: 1, rootPeriod: 1,
    factors: .kl)

  private func factors(_ shampoo: Shampoo, _ gradients: [Matrix<Double>]) throws -> (
    Matrix<Double>, Matrix<Double>
  ) {
    let (m, n) = (gradients[0].rows, gradients[0].columns)
    var driver = try OptimizerDriver<Double>(shampoo, parameters: [weight(m, n)], threads: 1)
    var values = [Matrix<Double>(rows: m, columns: n)]
    for g in gradients {
      var gradients = [g]
      _ = try driver.step(values: &values, gradients: &gradients, objective: PlainObjective<Double>())
    }
    func factor(_ slot: String) -> Matrix<Double> {
      let H = driver.state.tensors[SlotKey("w", slot)]!
      return Matrix(rows: H.rows, columns: H.rows) { H[max($0, $1), min($0, $1)] }
    }
    return (factor("H1"), factor("H2"))
  }

  /// Gradients L·Z·R with white Z: the factors become L·Lᵀ and Rᵀ·R, up to a number that moves between them.
  @Test func klFindsAKroneckerCovariance() throws {
    let L: Matrix<Double> = [[2, 0, 0], [1, 1, 0], [0, -1, 0.5]]
    let R: Matrix<Double> = [[1, 0.5], [0, 2]]
    // Every sign of every entry, several times over.
    let gradients = (0..<64 * 12).map { t in
      L.multiplied(by: Matrix(rows: 3, columns: 2) { i, j in t >> (2 * i + j) & 1 == 0 ? 1 : -1 }).multiplied(
        by: R)
    }
    var slow = kl
    slow.beta2 = 0.99
    let (A, B) = try factors(slow, gradients)
    let (a, b) = (L.multiplied(by: L.transposed), R.transposed.multiplied(by: R))
    let found = kronecker(A, B)
    // A running average of a hundred samples is this near.
    #expect(relativeDifference(found.array, kronecker(a, b).array) < 0.15)
  }

  /// c·G has factors whose product is c² times as large, and the same steps: there is no scale at which they start.
  @Test func klKnowsNoScale() throws {
    let gradients = (0..<6).map { random(4, 3, UInt64(70 + $0)) }
    let plain = try steps(kl, weight(4, 3), gradients)
    for c in [1e-6, 1e6] {
      let scaled = gradients.map { g in Matrix(g.array.map { c * $0 }, rows: 4, columns: 3) }
      for (a, b) in zip(plain, try steps(kl, weight(4, 3), scaled)) {
        #expect(relativeDifference(a.array, b.array) < 1e-9)
      }
    }
  }

  /// The columns twice: the other factor has them twice, and this one stays. Shampoo's is twice as large.
  @Test func klOfRepeatedColumns() throws {
    let gradients = (0..<5).map { random(3, 4, UInt64(80 + $0)) }
    let doubled = gradients.map { g in Matrix<Double>(rows: 3, columns: 8) { g[$0, $1 % 4] } }
    // The second factor would have no inverse.
    var damped = kl
    (damped.damping, damped.dampingForm, damped.sides) = (1e-9, .relative, .shorter)
    let (one, two) = (try steps(damped, weight(3, 4), gradients), try steps(damped, weight(3, 8), doubled))
    for (a, b) in zip(one, two) {
      #expect(relativeDifference(b[rows: 0..., columns: 0..<4].array, a.array) < 1e-7)
    }
  }

  /// Rank 1, a spike a million times as large, nothing at first: steps stay steps.
  @Test func klOfDegenerateGradients() throws {
    let optimizer = Shampoo(lr: 1, rootPeriod: 2, factors: .kl)
    let rankOne = Matrix<Float>(rows: 6, columns: 4) { Float($0 + 1) * Float($1 - 2) * 0.01 }
    let spike = Matrix<Float>(rows: 6, columns: 4) { 1e6 * Float(($0 * 5 + $1 * 3) % 7 - 3) }
    let zero = Matrix<Float>(rows: 6, columns: 4)
    for first in [[rankOne, rankOne], [zero, zero, zero], [spike]] {
      let gradients =
        first + [Matrix<Float>](repeating: rankOne, count: 8) + [spike, zero, rankOne, rankOne, rankOne]
      for step in try steps(optimizer, weight(6, 4), gradients) { #expect(step.isFinite) }
    }
  }
}
