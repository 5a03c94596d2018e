import FisherLinearAlgebra
import FisherTestSupport
import KernelTemplates
import Testing

/// LAPACK's residual ratio of the factor stays below 30, and nothing but its triangle is written.
struct CholeskyResiduals: Clause {
  func violations<S: KernelScalar>(of backend: any Backend, _: S.Type) -> Violations {
    var found = Violations()
    for test in CholeskyCase<S>.all() where !found.isFull {
      let outcome = backend.potrf(test.call, threads: test.threads)
      found.expect(outcome == PivotOutcome(), "\(backend.name) potrf \(test): \(outcome)")
      let ratio = test.factorRatio
      found.expect(ratio < 30, "\(backend.name) potrf \(test): residual ratio \(ratio)")
      found.expect(test.damage == nil, "\(backend.name) potrf \(test): \(test.damage!)")
    }
    return found
  }

  @Test(arguments: Subject.all)
  static func residuals(_ subject: Subject) { expect(subject) }
}

/// The same for the inverse in one sweep, and for that from the factor.
struct CholeskyInverses: Clause {
  func violations<S: KernelScalar>(of backend: any Backend, _: S.Type) -> Violations {
    var found = Violations()
    // The residual takes n³ flops of plain loops.
    for test in CholeskyCase<S>.all() where !found.isFull && (test.order <= 260 || test.order == 513) {
      let n = test.order
      let outcome = backend.invertPositiveDefinite(test.call, mirror: false, threads: test.threads)
      found.expect(outcome == PivotOutcome(), "\(backend.name) inverse \(test): \(outcome)")
      check(test, "inverse", &found, backend)
      // Beyond the sweep the inverse is made by potrf and potri.
      if n > 200 { continue }
      _ = backend.potrf(test.call, threads: test.threads)
      backend.potri(
        Potri(factor: test.target.readOnly, target: test.target.pointer, triangle: test.triangle),
        threads: test.threads)
      check(test, "potri", &found, backend)
      backend.potri(
        Potri(
          factor: test.source.readOnly, target: test.target.pointer, triangle: test.triangle, mirror: true),
        threads: test.threads)
      let isSymmetric = (0..<n).allSatisfy { i in
        (0..<i).allSatisfy { test.target.pointer[i, $0].bits == test.target.pointer[$0, i].bits }
      }
      found.expect(isSymmetric, "\(backend.name) potri \(test): not mirrored")
    }
    return found
  }

  private func check<S: KernelScalar>(
    _ test: CholeskyCase<S>, _ name: String, _ found: inout Violations, _ backend: any Backend
  ) {
    if test.order > 0 {
      let ratio = inverseRatio(test.matrix, test.symmetric)
      found.expect(ratio < 30, "\(backend.name) \(name) \(test): residual ratio \(ratio)")
    }
    found.expect(test.damage == nil, "\(backend.name) \(name) \(test): \(test.damage!)")
  }

  @Test(arguments: Subject.all)
  static func inverses(_ subject: Subject) { expect(subject) }
}

/// Agreement with the naive reference, with damping of both sorts.
struct CholeskyDefinition: Clause {
  func violations<S: KernelScalar>(of backend: any Backend, _: S.Type) -> Violations {
    var found = Violations()
    let orders = Array(0...40) + [100, 300]
    for (n, seed) in zip(orders, Seed.cases(orders.count)) where !found.isFull {
      var test = CholeskyCase<S>(seed: seed, n)
      if n % 3 == 1 { test.absolute = 0.25 }
      if n % 3 == 2 { test.relative = 0.5 }
      // The condition is below 8 and the norms are below 4: n·κ·u bounds the error of an element.
      let bound = 64 * Double(n + 1) * S.unitRoundoff
      for inverts in [false, true] {
        let results = [backend, ReferenceBackend()].map { backend in
          _ =
            inverts
            ? backend.invertPositiveDefinite(test.call, mirror: false, threads: test.threads)
            : backend.potrf(test.call, threads: test.threads)
          return (0..<n).flatMap { i in (0...i).map { Double(test.symmetric(i, $0)) } }
        }
        for (x, y) in zip(results[0], results[1]) {
          found.expect(
            (x - y).magnitude <= bound, "\(backend.name) \(test) inverts \(inverts): \(x), not \(y)")
        }
      }
    }
    return found
  }

  @Test(arguments: Subject.all)
  static func agreesWithTheReference(_ subject: Subject) { expect(subject) }
}

/// The first bad pivot is reported: zeros, negative numbers and NaN, wherever it lies.
struct CholeskyFailures: Clause {
  func violations<S: KernelScalar>(of backend: any Backend, _: S.Type) -> Violations {
    var found = Violations()
    for (n, seed) in zip([1, 2, 5, 14, 15, 16, 33, 48, 70, 130, 300, 520], Seed.cases(12)) {
      let good = CholeskyCase<S>(seed: seed, n).matrix
      for pivot in Set(n < 200 ? [0, 1, n / 3, n / 2, n - 1] : [n / 3, n - 1]).sorted() where pivot < n {
        for (what, value) in [("zero", S.zero), ("negative", -4), ("NaN", S.nan)] where !found.isFull {
          var matrix = good
          for j in 0..<n {
            matrix[pivot][j] = 0
            matrix[j][pivot] = 0
          }
          matrix[pivot][pivot] = value
          var test = CholeskyCase<S>(seed: seed, matrix)
          // Absolute damping too small to matter must not spread a NaN over the diagonal either.
          if what == "NaN" { test.absolute = .leastNormalMagnitude }
          let place = "\(backend.name) \(test), \(what) pivot \(pivot)"
          let factor = backend.potrf(test.call, threads: test.threads)
          found.expect(factor == PivotOutcome(firstBadPivot: pivot), "\(place): potrf reports \(factor)")
          let inverse = backend.invertPositiveDefinite(test.call, mirror: false, threads: test.threads)
          found.expect(inverse == PivotOutcome(firstBadPivot: pivot), "\(place): inverse reports \(inverse)")
          found.expect(test.damage == nil, "\(place): \(test.damage!)")
        }
      }
    }
    return found
  }

  @Test(arguments: Subject.all)
  static func failures(_ subject: Subject) { expect(subject) }
}

/// Pivots at or below the threshold are replaced and counted; a NaN is not.
struct CholeskyCorrections: Clause {
  func violations<S: KernelScalar>(of backend: any Backend, _: S.Type) -> Violations {
    var found = Violations()
    for (n, seed) in zip([1, 7, 16, 33, 64, 300], Seed.cases(6)) where !found.isFull {
      var matrix = CholeskyCase<S>(seed: seed, n, .diagonal).matrix
      for i in stride(from: 0, to: n, by: 3) { matrix[i][i] = [0, -1, 0.125][i / 3 % 3] }
      var test = CholeskyCase<S>(seed: seed, matrix)
      test.correction = PivotCorrection(threshold: 0.125, replacement: 0.25)
      let outcome = backend.potrf(test.call, threads: test.threads)
      found.expect(
        outcome == PivotOutcome(corrections: (n + 2) / 3), "\(backend.name) corrections \(test): \(outcome)")
      for i in stride(from: 0, to: n, by: 3) {
        found.expect(
          test.lower(i, i) == 0.5, "\(backend.name) corrections \(test): root \(i) is \(test.lower(i, i))")
      }
      matrix[n / 2][n / 2] = .nan
      var bad = CholeskyCase<S>(seed: seed, matrix)
      bad.correction = test.correction
      let refused = backend.potrf(bad.call, threads: bad.threads)
      found.expect(refused.firstBadPivot == n / 2, "\(backend.name) corrections \(bad): NaN gives \(refused)")
    }
    return found
  }

  @Test(arguments: Subject.all)
  static func corrections(_ subject: Subject) { expect(subject) }
}

/// The same bits for any number of threads.
struct CholeskyBits: Clause {
  func violations<S: KernelScalar>(of backend: any Backend, _: S.Type) -> Violations {
    var found = Violations()
    for (n, seed) in zip([70, 300, 530], Seed.cases(3)) where !found.isFull {
      let test = CholeskyCase<S>(seed: seed, n)
      for inverts in [false, true] {
        let bits = [1, 2, 3, 7].map { threads in
          _ =
            inverts
            ? backend.invertPositiveDefinite(test.call, mirror: false, threads: threads)
            : backend.potrf(test.call, threads: threads)
          return test.target.elementBits()
        }
        found.expect(Set(bits).count == 1, "\(backend.name) \(test): threads change the bits")
      }
    }
    return found
  }

  @Test(arguments: Subject.keepingBits)
  static func bits(_ subject: Subject) { expect(subject) }
}

/// Factors and inverses stay inside their scratch.
@Test(arguments: InstructionSet.supported)
func choleskyScratchGuards(_ set: InstructionSet) {
  func run<S: KernelScalar>(_: S.Type) {
    for (n, seed) in zip([1, 5, 17, 33, 70, 300], Seed.cases(6)) {
      let test = CholeskyCase<S>(seed: seed, n)
      _ = NativeBackend(instructionSet: set).potrf(test.call, threads: 2)
      #expect(test.factorRatio < 30)
      _ = NativeBackend(instructionSet: set).invertPositiveDefinite(test.call, mirror: false, threads: 2)
      #expect(inverseRatio(test.matrix, test.symmetric) < 30)
    }
  }
  for side in [GuardedScratch.Side.front, .rear] {
    let guarded = GuardedScratch(side)
    withExtendedLifetime(guarded) {
      run(Float.self)
      run(Double.self)
    }
  }
}
