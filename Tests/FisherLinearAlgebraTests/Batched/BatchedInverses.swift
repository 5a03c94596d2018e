import FisherLinearAlgebra
import FisherTestSupport
import Foundation
import Testing

/// LAPACK's residual ratio stays below 30 and the determinant is right, for every n = 1 … 70 and every kind of matrix.
struct BatchedInverseResiduals: Clause {
  func violations<S: KernelScalar>(of backend: any Backend, _: S.Type) -> Violations {
    var found = Violations()
    let orders = Array(1...70) + [127, 128, 129]
    for (n, seed) in zip(orders, Seed.cases(orders.count)) {
      for kind in DefiniteKind.allCases where !found.isFull && (n <= 70 || kind == .random) {
        // More than one group for small n, and a last one that is not full.
        let test = BatchedInverseCase<S>(seed: seed, n, count: n <= 9 ? 19 : 2, kind)
        let result = test.run(backend)
        for (i, matrix) in test.matrices.enumerated() {
          let place = "\(backend.name) \(S.self) \(kind) n \(n), matrix \(i), seed \(seed)"
          found.expect(result.outcomes[i] == -1, "\(place): failed at pivot \(result.outcomes[i])")
          let ratio = inverseRatio(matrix, result.inverse(i, n))
          found.expect(ratio < 30, "\(place): residual ratio \(ratio)")
        }
      }
    }
    return found
  }

  @Test(arguments: Subject.all)
  static func residuals(_ subject: Subject) { expect(subject) }
}

/// Agreement with the naive reference: the inverse, log det, and damping of both sorts.
struct BatchedInverseDefinition: Clause {
  func violations<S: KernelScalar>(of backend: any Backend, _: S.Type) -> Violations {
    var found = Violations()
    for (n, seed) in zip(1...40, Seed.cases(40)) where !found.isFull {
      var test = BatchedInverseCase<S>(seed: seed, n, count: 3)
      if n % 3 == 1 { test.absolute = 0.25 }
      if n % 3 == 2 { test.relative = 0.5 }
      let (got, expected) = (test.run(backend), test.run(ReferenceBackend()))
      for i in 0..<3 {
        let place = "\(backend.name) \(S.self) n \(n), matrix \(i), seed \(seed)"
        // The condition is below 8, and the norms below 4: n·κ·u bounds the error of an element.
        let bound = 64 * Double(n + 1) * S.unitRoundoff
        for r in 0..<n {
          for c in 0..<n {
            let (x, y) = (Double(got.inverse(i, n)(r, c)), Double(expected.inverse(i, n)(r, c)))
            found.expect((x - y).magnitude <= bound, "\(place): (\(r), \(c)) is \(x), not \(y)")
          }
        }
        let (x, y) = (Double(got.logDeterminants[i]), Double(expected.logDeterminants[i]))
        found.expect((x - y).magnitude <= bound * Double(n), "\(place): log det is \(x), not \(y)")
      }
    }
    return found
  }

  @Test(arguments: Subject.all)
  static func agreesWithTheReference(_ subject: Subject) { expect(subject) }
}

/// A bad matrix is reported by its first pivot that is not above 0, keeps its target, and leaves its neighbours' bits.
struct BatchedInverseFailures: Clause {
  func violations<S: KernelScalar>(of backend: any Backend, _: S.Type) -> Violations {
    var found = Violations()
    for (n, seed) in zip([1, 2, 3, 4, 5, 8, 9, 16, 17, 33], Seed.cases(10)) {
      let good = BatchedInverseCase<S>(seed: seed, n, count: 21)
      let expected = good.run(backend)
      for pivot in Set([0, n / 2, n - 1]).sorted() {
        for (what, value) in [("zero", S.zero), ("negative", -4), ("NaN", S.nan)] where !found.isFull {
          var matrices = good.matrices
          let bad = [2, 15, 20]
          for i in bad {
            for j in 0..<n {
              matrices[i][pivot][j] = 0
              matrices[i][j][pivot] = 0
            }
            matrices[i][pivot][pivot] = value
          }
          // Absolute damping too small to matter must not spread a NaN over the diagonal either.
          var test = BatchedInverseCase<S>(n, matrices)
          if what == "NaN" { test.absolute = .leastNormalMagnitude }
          let result = test.run(backend)
          let place = "\(backend.name) \(S.self) n \(n), \(what) pivot \(pivot), seed \(seed)"
          for i in 0..<21 {
            if bad.contains(i) {
              found.expect(result.outcomes[i] == Int32(pivot), "\(place): reported as \(result.outcomes[i])")
              let untouched = result.bits(i, n).allSatisfy { $0 == S.sentinel.bits }
              found.expect(untouched, "\(place): the target was written")
              found.expect(result.logDeterminants[i].isNaN, "\(place): has a determinant")
            } else {
              found.expect(result.outcomes[i] == -1, "\(place): neighbour \(i) failed")
              found.expect(
                result.bits(i, n) == expected.bits(i, n), "\(place): neighbour \(i) has other bits")
            }
          }
        }
      }
    }
    return found
  }

  @Test(arguments: Subject.keepingBits)
  static func failures(_ subject: Subject) { expect(subject) }
}
