import FisherLinearAlgebra
import FisherTestSupport
import Foundation
import KernelTemplates
import Testing

/// A NaN anywhere in a matrix without symmetry, of either sign, makes a bad pivot, and a row of zeros the last one. The
/// target of a bad matrix stays, and so do the bits of all neighbours.
struct BatchedNaNs: Clause {
  func violations<S: KernelScalar>(of backend: any Backend, _: S.Type) -> Violations {
    var found = Violations()
    let orders = [1, 2, 3, 4, 5, 9] + (backend is ReferenceBackend ? [] : [16, 17, 33])
    for (n, seed) in zip(orders, Seed.cases(orders.count)) {
      let good = BatchedCase<S>(seed: seed, .generalInverse, n, count: 19)
      let expected = good.run(backend)
      let bits = (0..<19).map { expected.bits($0) }
      found += checkZeroRows(good, backend, seed)
      for place in 0..<n * n where n < 6 || place % 13 == 5 {
        if found.isFull { break }
        var matrices = good.matrices
        // In the last lane of a group, in the last matrix, and in one between.
        for (i, nan) in [(5, S.nan), (15, -S.nan), (18, S.nan)] { matrices[i][place / n, place % n] = nan }
        let result = BatchedCase<S>(.generalInverse, n, matrices).run(backend)
        for i in 0..<19 {
          let at =
            "\(backend.name) \(S.self) n \(n), seed \(seed), NaN at \((place / n, place % n)), matrix \(i)"
          if [5, 15, 18].contains(i) {
            found.expect(result.outcomes[i] >= 0, "\(at): no bad pivot")
            found.expect(result.bits(i).allSatisfy { $0 == S.sentinel.bits }, "\(at): the target was written")
          } else {
            found.expect(result.outcomes[i] == -1 && result.bits(i) == bits[i], "\(at): other bits")
          }
        }
      }
    }
    return found
  }

  /// A row of zeros is never exchanged until it alone is left.
  private func checkZeroRows<S: KernelScalar>(
    _ good: BatchedCase<S>, _ backend: any Backend, _ seed: UInt64
  ) -> Violations {
    let (n, zeros) = (good.n, [5, 15, 18])
    var (found, matrices) = (Violations(), good.matrices)
    for (k, i) in zeros.enumerated() { for j in 0..<n { matrices[i][k * (n - 1) / 2, j] = 0 } }
    let outcomes = BatchedCase<S>(.generalInverse, n, matrices).run(backend).outcomes
    let expected = (0..<19).map { Int32(zeros.contains($0) ? n - 1 : -1) }
    found.expect(
      outcomes == expected, "\(backend.name) \(S.self) n \(n), seed \(seed), rows of zeros: \(outcomes)")
    return found
  }

  @Test(arguments: Subject.keepingBits)
  static func nans(_ subject: Subject) { expect(subject) }
}

/// The pivot is the largest of its column, if only by a hundredth: with the other one the elimination would overflow.
struct BatchedPivots: Clause {
  func violations<S: KernelScalar>(of backend: any Backend, _: S.Type) -> Violations {
    var found = Violations()
    let (small, large, far) = (S(1), S(1.01), 0.995 * S.greatestFiniteMagnitude)
    for n in [2, 3, 4, 5, 8, 9, 16, 17] where !found.isFull {
      let places = (0..<19).map { k in (k % (n - 1), k % (n - 1) + 1 + k / 3 % (n - 1 - k % (n - 1))) }
      let matrices = places.map { r, s in
        var a = Matrix<S>(identity: n)
        (a[r, r], a[r, s], a[s, r], a[s, s]) = (small, far, large, 0)
        return a
      }
      let result = BatchedCase<S>(.generalInverse, n, matrices).run(backend)
      for (i, (r, s)) in places.enumerated() {
        let place = "\(backend.name) \(S.self) n \(n), matrix \(i), rows \(r) and \(s)"
        found.expect(result.outcomes[i] == -1, "\(place): failed at \(result.outcomes[i])")
        // ( 1  b )⁻¹   ( 0    1/c    )
        // ( c  0 )   = ( 1/b  −1/bc  ),  b near overflow
        let x = result.matrix(i)
        let error = (Double(x[r, s]) - 1 / Double(large)).magnitude
        let isRight = x[r, r] == 0 && error <= 4 * S.unitRoundoff && x[s, r] > 0 && x[s, s] < 0
        found.expect(isRight, "\(place): \(x[r, r]) \(x[r, s]) \(x[s, r]) \(x[s, s])")
      }
    }
    return found
  }

  @Test(arguments: Subject.keepingBits)
  static func pivots(_ subject: Subject) { expect(subject) }
}

/// Inverses of symmetric matrices are exactly symmetric, and log det is right where the determinant itself is no number.
struct BatchedSymmetry: Clause {
  func violations<S: KernelScalar>(of backend: any Backend, _: S.Type) -> Violations {
    var found = Violations()
    let orders = Array(1...20) + (backend is ReferenceBackend ? [] : [31, 32, 33, 40, 64, 65, 66, 129])
    for (n, seed) in zip(orders, Seed.cases(orders.count)) {
      for kind in DefiniteKind.allCases where !found.isFull {
        var generator = Generator(seed: seed)
        let matrices = (0..<3).map { _ in kind.matrix(n, S.self, &generator) }
        let place = "\(backend.name) \(S.self) \(kind) n \(n), seed \(seed)"
        let result = BatchedCase(.positiveDefiniteInverse, n, matrices).run(backend)
        let (factors, expected) = (
          BatchedCase(.cholesky, n, matrices).run(backend),
          BatchedCase(.cholesky, n, matrices).run(ReferenceBackend())
        )
        for i in 0..<3 {
          let x = result.matrix(i)
          let isSymmetric = (0..<n).allSatisfy { r in (0..<r).allSatisfy { x[r, $0].bits == x[$0, r].bits } }
          found.expect(isSymmetric, "\(place): inverse \(i) is not symmetric")
          let logarithm = Double(expected.logDeterminants[i])
          // Pivots are accurate to n·u·‖A‖, and nearly singular matrices have some of a few hundred n·u·‖A‖.
          let bound = kind == .nearlySingular ? 0.2 * Double(n) : 128 * Double(n * (n + 1)) * S.unitRoundoff
          for (what, got) in [("inverses", result), ("factors", factors)] {
            let error = (Double(got.logDeterminants[i]) - logarithm).magnitude
            found.expect(
              error <= bound + 4 * S.unitRoundoff * logarithm.magnitude,
              "\(place): log det \(i) of \(what) is \(got.logDeterminants[i]), not \(logarithm)")
          }
        }
      }
    }
    return found
  }

  @Test(arguments: Subject.all)
  static func symmetry(_ subject: Subject) { expect(subject) }
}

/// Relative damping is that times the mean of a matrix's own diagonal, in every routine and lane, also where the sum of the
/// diagonal leaves the range.
struct BatchedRelativeDamping: Clause {
  func violations<S: KernelScalar>(of backend: any Backend, _: S.Type) -> Violations {
    var found = Violations()
    for n in [1, 2, 33, 64] { found += checkLarge(n, S.self, backend) }
    for (n, seed) in zip([1, 2, 3, 4, 5, 8, 9, 16, 17, 33], Seed.cases(10)) {
      for routine in BatchedRoutine.allCases where !found.isFull {
        var generator = Generator(seed: seed)
        // Diagonals of different sizes in different lanes, and far larger than the rest.
        let matrices = (0..<19).map { k in
          var a: Matrix<S> = routine.matrix(n, S.self, &generator)
          for i in 0..<n { a[i, i] = S(n + k + i % 3) }
          return a
        }
        let damped = matrices.map { a in
          var a = a
          let mean = (0..<n).reduce(0) { $0 + Double(a[$1, $1]) } / Double(n)
          for i in 0..<n { a[i, i] += S(0.5 * mean) }
          return a
        }
        var test = BatchedCase<S>(routine, n, matrices)
        test.relative = 0.5
        let (got, expected) = (test.run(backend), BatchedCase<S>(routine, n, damped).run(backend))
        for i in 0..<19 {
          let (x, y) = (Ratio.double(got.matrix(i)), Ratio.double(expected.matrix(i)))
          let (error, norm) = (Ratio.norm(Ratio.difference(x, y)), Ratio.norm(y))
          // The mean has n + 1 roundings, the condition is below 8.
          found.expect(
            error <= 64 * Double(n + 1) * S.unitRoundoff * norm,
            "\(backend.name) \(S.self) \(routine) n \(n), matrix \(i), seed \(seed): errs by \(error) of \(norm)"
          )
        }
      }
    }
    return found
  }

  /// 2ᵉ·I among identities, for an n·2ᵉ beyond the range.
  private func checkLarge<S: KernelScalar>(_ n: Int, _: S.Type, _ backend: any Backend) -> Violations {
    var found = Violations()
    let large = S(sign: .plus, exponent: S.greatestFiniteMagnitude.exponent - 4, significand: 1)
    let diagonals: [S] = [large] + [S](repeating: 1, count: 18)
    var test = BatchedCase<S>(
      .positiveDefiniteInverse, n,
      diagonals.map { d in Matrix(rows: n, columns: n) { i, j in i == j ? d : 0 } })
    test.relative = 1
    let result = test.run(backend)
    for (k, d) in diagonals.enumerated() {
      for i in 0..<n {
        let x = result.matrix(k)[i, i]
        found.expect(
          abs(x * d * 2 - 1) <= 4 * S(n + 1) * S(S.unitRoundoff),
          "\(backend.name) \(S.self) n \(n), \(d)·I: \(x) on the diagonal of the inverse")
      }
    }
    return found
  }

  @Test(arguments: Subject.all)
  static func damping(_ subject: Subject) { expect(subject) }
}
