import FisherLinearAlgebra
import FisherTestSupport
import Foundation
import Testing

/// LAPACK's residual ratios stay below 30: every n = 1 … 70 and around 128, every kind of matrix, every routine.
struct BatchedResiduals: Clause {
  func violations<S: KernelScalar>(of backend: any Backend, _: S.Type) -> Violations {
    var found = Violations()
    for (n, seed) in zip(Self.orders, Seed.cases(Self.orders.count)) {
      // More than one group for small n, and a last one that is not full.
      let count = backend is ReferenceBackend ? 1 : n <= 9 ? 19 : 2
      for kind in DefiniteKind.allCases where !found.isFull {
        var generator = Generator(seed: seed)
        let matrices = (0..<count).map { _ in kind.matrix(n, S.self, &generator) }
        for routine in [BatchedRoutine.positiveDefiniteInverse, .cholesky] {
          found += check(backend, routine, matrices, "\(kind), seed \(seed)")
        }
      }
      for kind in BatchedGeneralKind.allCases where !found.isFull {
        var generator = Generator(seed: seed)
        let matrices = (0..<count).map { _ in kind.matrix(n, S.self, &generator) }
        found += check(backend, .generalInverse, matrices, "\(kind), seed \(seed)")
      }
    }
    return found
  }

  static let orders = Array(1...70) + [127, 128, 129]

  private func check<S: KernelScalar>(
    _ backend: any Backend, _ routine: BatchedRoutine, _ matrices: [Matrix<S>], _ what: String
  ) -> Violations {
    var found = Violations()
    let result = BatchedCase(routine, matrices[0].rows, matrices).run(backend)
    for (i, matrix) in matrices.enumerated() {
      let place = "\(backend.name) \(S.self) \(routine) n \(matrix.rows), matrix \(i), \(what)"
      found.expect(result.outcomes[i] == -1, "\(place): failed at pivot \(result.outcomes[i])")
      let ratio =
        routine == .cholesky
        ? Ratio.cholesky(matrix, result.matrix(i)) : Ratio.inverse(matrix, result.matrix(i))
      found.expect(ratio < 30, "\(place): residual ratio \(ratio)")
    }
    return found
  }

  @Test(arguments: Subject.all)
  static func residuals(_ subject: Subject) { expect(subject) }

  /// Exchanges alone make no rounding: the inverse of a permutation is its transpose.
  @Test(arguments: Subject.all)
  static func permutationsAreExact(_ subject: Subject) {
    var generator = Generator(seed: Seed.first)
    for n in 1...16 {
      let places = Array(0..<n).shuffled(using: &generator)
      let matrix = Matrix<Double>(rows: n, columns: n) { r, c in c == places[r] ? -2 : 0 }
      let result = BatchedCase(.generalInverse, n, [matrix, matrix]).run(subject.backend)
      for r in 0..<n {
        for c in 0..<n {
          #expect(result.element(1, c, r) == matrix[r, c] / 4, "n \(n), seed \(Seed.first)")
        }
      }
    }
  }
}

/// Agreement with the naive reference: results, log |det|, and damping of both sorts.
struct BatchedDefinition: Clause {
  func violations<S: KernelScalar>(of backend: any Backend, _: S.Type) -> Violations {
    var found = Violations()
    for routine in [BatchedRoutine.positiveDefiniteInverse, .cholesky] {
      for (n, seed) in zip(1...40, Seed.cases(40)) where !found.isFull {
        var test = BatchedCase<S>(seed: seed, routine, n, count: 3)
        if n % 3 == 1 { test.absolute = 0.25 }
        if n % 3 == 2 { test.relative = 0.5 }
        let (got, expected) = (test.run(backend), test.run(ReferenceBackend()))
        for i in 0..<3 {
          let place = "\(backend.name) \(S.self) \(routine) n \(n), matrix \(i), seed \(seed)"
          // The condition is below 8, and the norms below 4: n·κ·u bounds the error of an element.
          let bound = 64 * Double(n + 1) * S.unitRoundoff
          for r in 0..<n {
            for c in 0..<n {
              let (x, y) = (Double(got.element(i, r, c)), Double(expected.element(i, r, c)))
              found.expect((x - y).magnitude <= bound, "\(place): (\(r), \(c)) is \(x), not \(y)")
              if routine == .cholesky && c > r { found.expect(x == 0, "\(place): (\(r), \(c)) is \(x)") }
            }
          }
          let (x, y) = (Double(got.logDeterminants[i]), Double(expected.logDeterminants[i]))
          found.expect((x - y).magnitude <= bound * Double(n), "\(place): log det is \(x), not \(y)")
        }
      }
    }
    // A matrix without symmetry but with a dominant diagonal, so that its condition is as small.
    for (n, seed) in zip(1...16, Seed.cases(16)) where !found.isFull {
      var test = BatchedCase<S>(seed: seed, .generalInverse, n, count: 3)
      test.absolute = S(2 * n)
      let (got, expected) = (test.run(backend), test.run(ReferenceBackend()))
      for i in 0..<3 {
        let place = "\(backend.name) \(S.self) general n \(n), matrix \(i), seed \(seed)"
        let bound = 64 * Double(n + 1) * S.unitRoundoff
        for (r, c) in (0..<n * n).map({ ($0 / n, $0 % n) }) {
          let (x, y) = (Double(got.element(i, r, c)), Double(expected.element(i, r, c)))
          found.expect((x - y).magnitude <= bound, "\(place): (\(r), \(c)) is \(x), not \(y)")
        }
        let (x, y) = (Double(got.logDeterminants[i]), Double(expected.logDeterminants[i]))
        found.expect((x - y).magnitude <= bound * Double(n), "\(place): log |det| is \(x), not \(y)")
      }
    }
    return found
  }

  @Test(arguments: Subject.all)
  static func agreesWithTheReference(_ subject: Subject) { expect(subject) }
}
