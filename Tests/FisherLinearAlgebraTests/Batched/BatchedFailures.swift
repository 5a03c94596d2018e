import FisherLinearAlgebra
import FisherTestSupport
import Testing

/// A bad matrix is reported by its first bad pivot, keeps its target, and leaves its neighbours' bits.
struct BatchedFailures: Clause {
  func violations<S: KernelScalar>(of backend: any Backend, _: S.Type) -> Violations {
    var found = Violations()
    for routine in BatchedRoutine.allCases {
      let orders = [1, 2, 3, 4, 5, 8, 9, 16, 17, 33] + (backend is ReferenceBackend ? [] : [64, 65, 129])
      for (n, seed) in zip(orders, Seed.cases(orders.count)) {
        let good = BatchedCase<S>(seed: seed, routine, n, count: 21)
        let expected = good.run(backend)
        let bits = (0..<21).map { expected.bits($0) }
        // At every index; from the seventh order on the sorts of pivots take turns.
        for pivot in 0..<n where n < 40 || pivot % 16 < 2 || pivot == n - 1 {
          let sorts: [(String, S)] = [("zero", .zero), ("negative", -4), ("NaN", .nan)]
          for (k, (what, value)) in sorts.enumerated() where !found.isFull {
            if !routine.isSymmetric && what == "negative" || n > 6 && (pivot + k) % 3 != 0 { continue }
            found += check(backend, good, expected, bits, pivot, what, value, seed)
          }
        }
      }
    }
    return found
  }

  private func check<S: KernelScalar>(
    _ backend: any Backend, _ good: BatchedCase<S>, _ expected: BatchedCase<S>.Result, _ bits: [[UInt64]],
    _ pivot: Int, _ what: String, _ value: S, _ seed: UInt64
  ) -> Violations {
    var found = Violations()
    let (routine, n) = (good.routine, good.n)
    var matrices = good.matrices
    let bad = [2, 15, 20]
    for i in bad {
      for j in 0..<n {
        if routine.isSymmetric { matrices[i][pivot, j] = 0 }
        matrices[i][j, pivot] = 0
      }
      matrices[i][pivot, pivot] = value
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
        found.expect(result.bits(i) == bits[i], "\(place): neighbour \(i) has other bits")
        let sameDeterminant = result.logDeterminants[i].bits == expected.logDeterminants[i].bits
        found.expect(sameDeterminant, "\(place): neighbour \(i) has another determinant")
      }
    }
    return found
  }

  @Test(arguments: Subject.keepingBits)
  static func failures(_ subject: Subject) { expect(subject) }
}
