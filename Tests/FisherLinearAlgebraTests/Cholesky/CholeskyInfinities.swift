import FisherLinearAlgebra
import FisherTestSupport
import KernelTemplates
import Testing

/// An infinite pivot is above 0, and by the definition its row of U is 0 where A is finite: nothing is reported, and the
/// other rows are those of the matrix without it. Beside it an infinite element of A makes ∞/∞, which is reported where it
/// meets the diagonal; so is ∞ in a row with a finite pivot, as a pivot of −∞.
struct CholeskyInfinities: Clause {
  func violations<S: KernelScalar>(of backend: any Backend, _: S.Type) -> Violations {
    var found = Violations()
    let orders = [1, 2, 3, 5, 16, 17, 33, 70] + (backend is ReferenceBackend ? [] : [130, 520])
    for (n, seed) in zip(orders, Seed.cases(orders.count)) {
      for p in Set([0, 1, n / 2, n - 2, n - 1]) where p >= 0 && p < n && !found.isFull {
        var generator = Generator(seed: seed)
        var matrix = DefiniteKind.random.matrix(n, S.self, &generator)
        for i in 0..<n where i != p { (matrix[i, p], matrix[p, i]) = (0, 0) }
        let without = CholeskyCase<S>(seed: seed, matrix)
        _ = backend.potrf(without.call, threads: without.threads)
        for i in 0..<n where i != p { (matrix[i, p], matrix[p, i]) = (0.5, 0.5) }
        matrix[p, p] = .infinity
        let test = CholeskyCase<S>(seed: seed, matrix)
        let outcome = backend.potrf(test.call, threads: test.threads)
        let place = "\(backend.name) \(test), ∞ at pivot \(p)"
        found.expect(outcome == PivotOutcome(), "\(place): \(outcome)")
        let (lower, expected) = (test.lower, without.lower)
        for i in 0..<n {
          for j in 0...i {
            let x: S = i != p && j != p ? expected[i, j] : i == j ? .infinity : i > p ? 0 : lower[i, j]
            // Large blocks divide where a reciprocal is no normal number: condition below 8, norms below 4.
            let agrees = abs(lower[i, j] - x) <= S(64 * Double(n + 1) * S.unitRoundoff) || lower[i, j] == x
            found.expect(agrees, "\(place): (\(i), \(j)) is \(lower[i, j]), not \(x)")
          }
        }
        check(backend, matrix, seed, p, &found)
      }
    }
    return found
  }

  /// ∞ in column q of row p, the pivot of p infinite or not.
  private func check<S: KernelScalar>(
    _ backend: any Backend, _ matrix: Matrix<S>, _ seed: UInt64, _ p: Int, _ found: inout Violations
  ) {
    let n = matrix.rows
    for q in Set([p + 1, n - 1]) where q > p && q < n {
      for pivot in [S(n), .infinity] {
        var bad = matrix
        (bad[p, p], bad[p, q], bad[q, p]) = (pivot, .infinity, .infinity)
        let test = CholeskyCase<S>(seed: seed, bad)
        let place = "\(backend.name) \(test), ∞ at (\(p), \(q)) beside a pivot of \(pivot)"
        let factor = backend.potrf(test.call, threads: test.threads)
        found.expect(factor.firstBadPivot == q, "\(place): potrf \(factor)")
        let inverse = backend.invertPositiveDefinite(test.call, mirror: false, threads: test.threads)
        found.expect(inverse.firstBadPivot == q, "\(place): inverse \(inverse)")
      }
    }
  }

  @Test(arguments: Subject.keepingBits)
  static func infinities(_ subject: Subject) { expect(subject) }
}
