import FisherCurvature
import FisherLinearAlgebra
import Testing

/// A basis that follows a matrix by one step of orthogonal iteration.
@Suite struct TrackedBasisTests {
  /// Symmetric, with eigenvalues 1, 2, …, n in an order of its own.
  private static func matrix(_ n: Int) -> (A: Matrix<Double>, values: [Double]) {
    let values = (0..<n).map { Double(($0 * 7 + 3) % n + 1) }
    return (Matrix(rows: n, columns: n) { $0 == $1 ? values[$0] : 0 }, values)
  }

  /// Σᵢ xᵢⱼ·yᵢⱼ has the bits of its definition.
  @Test(arguments: [(0, 3), (1, 1), (9, 255), (17, 256), (200, 300)]) func products(rows: Int, columns: Int) {
    let x = Matrix<Float>(rows: rows, columns: columns) { Float(($0 * 13 + $1 * 5) % 29) / 7 - 2 }
    let y = Matrix<Float>(rows: rows, columns: columns) { Float(($0 * 3 + $1 * 17) % 31) / 9 - 1 }
    let expected = (0..<columns).map { j in
      (0..<rows).reduce(0.0) { $0 + Double(x[$1, j]) * Double(y[$1, j]) }
    }
    for threads in [1, 2, 3] { #expect(columnProducts(x, y, threads: threads) == expected) }
  }

  /// From the identity the columns come in descending order of the diagonal, and again they stay where they are.
  @Test(arguments: [1, 2, 10, 40]) func columnsAreSorted(n: Int) {
    let (A, values) = Self.matrix(n)
    let order = (0..<n).sorted { (values[$1], $0) < (values[$0], $1) }
    for threads in [1, 2] {
      let first = orthogonalIteration(A, from: Matrix(identity: n), threads: threads)
      #expect(first.order == order)
      #expect(first.basis == Matrix(rows: n, columns: n) { $0 == order[$1] ? first.basis[$0, $1] : 0 })
      let second = orthogonalIteration(A, from: first.basis, threads: threads)
      #expect(second.order == Array(0..<n))
      for j in 0..<n { #expect(abs(abs(second.basis[order[j], j]) - 1) < 1e-14) }
    }
  }

  /// δ times the mean of the diagonal is added: what A does not know comes from the basis, not from rounding.
  @Test func shift() {
    var A = Matrix<Double>(rows: 3, columns: 3)
    A[0, 0] = 6
    let basis = orthogonalIteration(A, from: Matrix(identity: 3), shift: 0.5).basis
    #expect(basis == Matrix(rows: 3, columns: 3) { $0 == $1 ? basis[$0, $1] : 0 })
    #expect((0..<3).allSatisfy { abs(abs(basis[$0, $0]) - 1) < 1e-15 })
  }
}
