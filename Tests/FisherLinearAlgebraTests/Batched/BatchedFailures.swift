import FisherLinearAlgebra
import FisherTestSupport
import Testing

/// A bad matrix is reported by its first bad pivot, keeps its target, and leaves its neighbours' bits.
struct BatchedFailures: Clause {
  func violations<S: KernelScalar>(of backend: any Backend, _: S.Type) -> Violations {
    var found = Violations()
    for routine in BatchedRoutine.allCases {
      for (n, seed) in zip([1, 2, 3, 4, 5, 8, 9, 16, 17, 33], Seed.cases(10)) {
        for pivot in Set([0, n / 2, n - 1]).sorted() {
          for (what, value) in [("zero", S.zero), ("negative", -4), ("NaN", S.nan)] where !found.isFull {
            if !routine.isSymmetric && what == "negative" { continue }
            found += check(backend, routine, n, pivot, what, value, seed)
          }
        }
      }
    }
    return found
  }

  private func check<S: KernelScalar>(
    _ backend: any Backend, _ routine: BatchedRoutine, _ n: Int, _ pivot: Int, _ what: String, _ value: S,
    _ seed: UInt64
  ) -> Violations {
    var found = Violations()
    let good = BatchedCase<S>(seed: seed, routine, n, count: 21)
    let expected = good.run(backend)
    var matrices = good.matrices
    let bad = [2, 15, 20]
    for i in bad {
      for j in 0..<n {
        if routine.isSymmetric { matrices[i][pivot][j] = 0 }
        matrices[i][j][pivot] = 0
      }
      matrices[i][pivot][pivot] = value
    }
    // Absolute damping too small to matter must not spread a NaN over the diagonal either.
    var test = BatchedCase<S>(routine, n, matrices)
    if what == "NaN" { test.absolute = .leastNormalMagnitude }
    let result = test.run(backend)
    let place = "\(backend.name) \(S.self) \(routine) n \(n), \(what) pivot \(pivot), seed \(seed)"
    for i in 0..<21 {
      if bad.contains(i) {
        // Where a NaN comes to light in a matrix without symmetry is not said.
        let isRight =
          routine.isSymmetric || what != "NaN"
          ? result.outcomes[i] == Int32(pivot) : result.outcomes[i] >= 0
        found.expect(isRight, "\(place): reported as \(result.outcomes[i])")
        let untouched = result.bits(i).allSatisfy { $0 == S.sentinel.bits }
        found.expect(untouched, "\(place): the target was written")
        found.expect(result.logDeterminants[i].isNaN, "\(place): has a determinant")
      } else {
        found.expect(result.outcomes[i] == -1, "\(place): neighbour \(i) failed")
        found.expect(result.bits(i) == expected.bits(i), "\(place): neighbour \(i) has other bits")
      }
    }
    return found
  }

  @Test(arguments: Subject.keepingBits)
  static func failures(_ subject: Subject) { expect(subject) }
}
