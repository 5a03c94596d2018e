import FisherLinearAlgebra
import FisherTestSupport
import Testing

/// What all factorizations have in common.
struct FactorizationTests {
  /// solve, solving, inverse and reconstructed agree with the definition, and with each other.
  @Test(arguments: [1, 2, 7, 40])
  func solveInvertAndReconstruct(n: Int) throws {
    var generator = Generator(seed: Seed.first &+ UInt64(n))
    let a = DefiniteKind.random.matrix(n, Double.self, &generator)
    let b = GeneralKind.random.matrix(n, 3, Double.self, &generator)
    let (cholesky, lu, qr) = (try Cholesky(a), LU(a), QR(a))
    let (pivoted, eigen) = (try PivotedQR(a), try SymmetricEigen(a))
    let results = [
      ("Cholesky", cholesky.solving(b), cholesky.inverse(), cholesky.reconstructed()),
      ("LU", try lu.solving(b), try lu.inverse(), lu.reconstructed()),
      ("QR", try qr.solving(b), try qr.inverse(), qr.reconstructed()),
      ("PivotedQR", pivoted.solving(b), pivoted.pseudoinverse(), pivoted.reconstructed()),
      ("SymmetricEigen", try eigen.solving(b), try eigen.inverse(), eigen.reconstructed()),
    ]
    for (name, x, inverse, product) in results {
      #expect(Ratio.residual(b, a, x) < 1e-12 * Double(n), "\(name): ‖B − A·X‖")
      #expect(Ratio.residual(Matrix(identity: n), a, inverse) < 1e-12 * Double(n), "\(name): ‖I − A·A⁻¹‖")
      #expect(Ratio.norm(Ratio.difference(product, a)) < 1e-13 * Double(n), "\(name): reconstructed")
    }
    var x = b
    try qr.solve(&x)
    #expect(x == results[2].1)
    x = b
    try eigen.solve(&x)
    #expect(x == results[4].1)
  }

  /// A NaN that meets a 0 makes the solution of a triangular system NaN, and a pivot of elimination.
  @Test func poisonReachesTheSolution() {
    let poisoned: Matrix<Double> = [[1, .nan], [0, 1]]
    #expect(throws: FactorizationError.singular(pivot: 1)) { try LU(poisoned).solving([[1], [0]]) }
    for backend in [NativeBackend(), ReferenceBackend()] as [any Backend] {
      var b: Matrix<Double> = [[1], [0]]
      trsm(poisoned, triangle: .upper, into: &b, on: backend)
      #expect(b[0, 0].isNaN && b[1, 0] == 0, "\(backend.name)")
    }
  }

  /// The condition of a matrix does not depend on its scale.
  @Test func conditionAtTheEndsOfTheRange() {
    let a: Matrix<Double> = [[2, 1, 0], [1, 3, 1], [0, 1, 4]]
    let expected = LU(a).reciprocalCondition()
    for backend in backendsUnderTest().map(\.backend) {
      for exponent in [-1022, -1000, 0, 1000, 1020, 1021] {
        let scaled = Matrix(rows: 3, columns: 3) { i, j in
          Double(sign: .plus, exponent: exponent, significand: 1) * a[i, j]
        }
        let condition = LU(scaled, on: backend).reciprocalCondition(on: backend)
        #expect(abs(condition / expected - 1) < 1e-12, "\(backend.name) \(condition) at 2^\(exponent)")
      }
      // ‖A‖₁ overflows, and no element does.
      let half: Matrix<Double> = [[0x1.8p1000, 0x1p1000], [0x1p1000, 0x1.8p1000]]
      let whole: Matrix<Double> = [[0x1.8p1023, 0x1p1023], [0x1p1023, 0x1.8p1023]]
      let (lu, large) = (LU(half, on: backend), LU(whole, on: backend))
      for condition in [lu.reciprocalCondition(on: backend), large.reciprocalCondition(on: backend)] {
        #expect(abs(condition / 0.2 - 1) < 1e-12, "\(backend.name): \(condition)")
      }
    }
  }

  /// The mean of a diagonal is in the range where its sum is not.
  @Test func relativeDampingOfLargeElements() throws {
    let large = Double.greatestFiniteMagnitude / 4
    let a = Matrix<Double>(rows: 9, columns: 9) { i, j in i == j ? large : 0 }
    for backend in backendsUnderTest().map(\.backend) {
      let factor = try Cholesky(a, damping: .relative(1), on: backend)
      #expect(abs(factor.upper[8, 8] / (2 * large).squareRoot() - 1) < 4e-15, "\(backend.name)")
    }
  }
}
