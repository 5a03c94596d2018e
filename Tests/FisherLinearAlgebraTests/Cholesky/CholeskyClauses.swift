import FisherLinearAlgebra
import FisherTestSupport
import KernelTemplates
import Testing

/// LAPACK's residual ratio of the factor stays below 30, and nothing but its triangle is written.
struct CholeskyResiduals: Clause {
  func violations<S: KernelScalar>(of backend: any Backend, _: S.Type) -> Violations {
    var found = Violations()
    for (shape, seed) in CholeskyShape.all(for: backend) where !found.isFull {
      let test = CholeskyCase<S>(seed: seed, shape.n, shape.kind, shape.triangle)
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
    for (shape, seed) in CholeskyShape.all(for: backend) where !found.isFull {
      let test = CholeskyCase<S>(seed: seed, shape.n, shape.kind, shape.triangle)
      let outcome = backend.invertPositiveDefinite(test.call, mirror: false, threads: test.threads)
      found.expect(outcome == PivotOutcome(), "\(backend.name) inverse \(test): \(outcome)")
      check(test, "inverse", &found, backend)
      _ = backend.potrf(test.call, threads: test.threads)
      let factor = test.target.readOnly
      backend.potri(
        Potri(factor: factor, target: test.target.pointer, triangle: test.triangle), threads: test.threads)
      check(test, "potri", &found, backend)
      backend.potri(
        Potri(
          factor: test.source.readOnly, target: test.target.pointer, triangle: test.triangle, mirror: true),
        threads: test.threads)
      found.expect(test.target.isSymmetric(), "\(backend.name) potri \(test): not mirrored")
    }
    return found
  }

  private func check<S: KernelScalar>(
    _ test: CholeskyCase<S>, _ name: String, _ found: inout Violations, _ backend: any Backend
  ) {
    let ratio = test.inverseRatio
    found.expect(ratio < 30, "\(backend.name) \(name) \(test): residual ratio \(ratio)")
    found.expect(test.damage == nil, "\(backend.name) \(name) \(test): \(test.damage!)")
  }

  @Test(arguments: Subject.all)
  static func inverses(_ subject: Subject) { expect(subject) }
}

/// With damping the ratios are those of A + λ·I, λ as it is or times the mean of the diagonal, for every n.
struct CholeskyDamping: Clause {
  func violations<S: KernelScalar>(of backend: any Backend, _: S.Type) -> Violations {
    var found = Violations()
    let orders = Array(0...70) + (backend is ReferenceBackend ? [] : [127, 128, 129, 257, 320, 513])
    for (n, seed) in zip(orders, Seed.cases(orders.count)) {
      for (absolute, relative) in [(S(0.25), S.zero), (0, 0.5), (0.25, 0.5)] where !found.isFull {
        // Not definite before it is damped: of half the rank, and with a negative corner.
        var generator = Generator(seed: seed)
        var matrix = DefiniteKind.nearlySingular.matrix(n, S.self, &generator)
        if n > 8 { matrix[n - 1, n - 1] -= 0.0078125 }
        var test = CholeskyCase<S>(seed: seed, matrix)
        (test.absolute, test.relative) = (absolute, relative)
        var damped = Ratio.double(matrix)
        let mean = (0..<n).reduce(0.0) { $0 + damped[$1, $1] } / Double(max(n, 1))
        for i in 0..<n { damped[i, i] += Double(absolute) + Double(relative) * mean }
        let place = "\(backend.name) \(test) λ \(absolute) + \(relative)·mean"
        let factor = backend.potrf(test.call, threads: test.threads)
        found.expect(factor == PivotOutcome(), "\(place): potrf \(factor)")
        let ratio = Ratio.cholesky(damped, Ratio.double(test.lower, .lower), S.self)
        found.expect(ratio < 30, "\(place): residual ratio \(ratio) of the factor")
        let inverse = backend.invertPositiveDefinite(test.call, mirror: false, threads: test.threads)
        found.expect(inverse == PivotOutcome(), "\(place): inverse \(inverse)")
        let inverseRatio = Ratio.inverse(damped, Ratio.double(test.lower, .symmetric), S.self)
        found.expect(inverseRatio < 30, "\(place): residual ratio \(inverseRatio) of the inverse")
        found.expect(test.damage == nil, "\(place): \(test.damage!)")
      }
    }
    return found
  }

  @Test(arguments: Subject.all)
  static func damping(_ subject: Subject) { expect(subject) }
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
          return Ratio.double(test.lower, .symmetric).array
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

/// The first bad pivot is reported: a row and column of zeros, with a zero, a negative number or NaN on the diagonal, at
/// every index of several orders and around the blocks of larger ones.
struct CholeskyFailures: Clause {
  func violations<S: KernelScalar>(of backend: any Backend, _: S.Type) -> Violations {
    var found = Violations()
    let every = [1, 2, 3, 5, 14, 15, 16, 17, 32, 33, 48, 64, 70].map { ($0, Array(0..<$0)) }
    let blocks = [
      0, 1, 31, 32, 33, 63, 64, 65, 95, 96, 127, 128, 129, 191, 192, 255, 256, 257, 383, 384, 511, 512,
    ]
    let some = [130, 300, 520].map { n in (n, blocks.filter { $0 < n - 1 } + [n - 1]) }
    let orders = backend is ReferenceBackend ? every : every + some
    for ((n, pivots), seed) in zip(orders, Seed.cases(orders.count)) {
      let good = CholeskyCase<S>(seed: seed, n).matrix
      for (k, pivot) in pivots.enumerated() where !found.isFull {
        // Large matrices take the sorts of pivots in turn.
        let sorts: [(String, S)] = [("zero", .zero), ("negative", -4), ("NaN", .nan)]
        for (what, value) in n < 100 ? sorts : [sorts[k % 3]] {
          found += check(backend, good, seed, pivot, what, value)
        }
      }
    }
    return found
  }

  private func check<S: KernelScalar>(
    _ backend: any Backend, _ good: Matrix<S>, _ seed: UInt64, _ pivot: Int, _ what: String, _ value: S
  ) -> Violations {
    var (found, matrix) = (Violations(), good)
    for j in 0..<good.rows {
      matrix[pivot, j] = 0
      matrix[j, pivot] = 0
    }
    matrix[pivot, pivot] = value
    var test = CholeskyCase<S>(seed: seed &+ UInt64(pivot), matrix)
    // Absolute damping too small to matter must not spread a NaN over the diagonal either.
    if what == "NaN" { test.absolute = .leastNormalMagnitude }
    let place = "\(backend.name) \(test), \(what) pivot \(pivot)"
    let before = test.source.snapshot()
    let factor = backend.potrf(test.call, threads: test.threads)
    found.expect(factor == PivotOutcome(firstBadPivot: pivot), "\(place): potrf reports \(factor)")
    let inverse = backend.invertPositiveDefinite(test.call, mirror: false, threads: test.threads)
    found.expect(inverse == PivotOutcome(firstBadPivot: pivot), "\(place): inverse reports \(inverse)")
    found.expect(test.damage == nil, "\(place): \(test.damage!)")
    found.expect(test.source.snapshot() == before, "\(place): the source was written")
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
      for i in stride(from: 0, to: n, by: 3) { matrix[i, i] = [0, -1, 0.125][i / 3 % 3] }
      var test = CholeskyCase<S>(seed: seed, matrix)
      test.correction = PivotCorrection(threshold: 0.125, replacement: 0.25)
      let outcome = backend.potrf(test.call, threads: test.threads)
      found.expect(
        outcome == PivotOutcome(corrections: (n + 2) / 3), "\(backend.name) corrections \(test): \(outcome)")
      for i in stride(from: 0, to: n, by: 3) {
        found.expect(
          test.lower[i, i] == 0.5, "\(backend.name) corrections \(test): root \(i) is \(test.lower[i, i])")
      }
      matrix[n / 2, n / 2] = .nan
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

/// With corrections, L·Lᵀ differs from A in the corrected places of the diagonal alone, where it is the larger.
struct CholeskyCorrectedResiduals: Clause {
  func violations<S: KernelScalar>(of backend: any Backend, _: S.Type) -> Violations {
    var found = Violations()
    let orders = Array(1...70) + (backend is ReferenceBackend ? [] : [127, 128, 129, 257, 320, 513])
    for (n, seed) in zip(orders, Seed.cases(orders.count)) where !found.isFull {
      var generator = Generator(seed: seed)
      var matrix = DefiniteKind.random.matrix(n, S.self, &generator)
      // Elimination only lowers what is left of these: they are corrected, and nobody else is near the threshold.
      let weak = (0..<n).filter { $0 % 7 == Int(seed % 7) }
      for i in weak { matrix[i, i] = S(i % 2) * -0.5 }
      var test = CholeskyCase<S>(seed: seed, matrix)
      test.correction = PivotCorrection(threshold: 0.0625, replacement: 4)
      let outcome = backend.potrf(test.call, threads: test.threads)
      let place = "\(backend.name) corrections \(test)"
      let inverse = backend.invertPositiveDefinite(test.call, mirror: false, threads: test.threads)
      found.expect(inverse == outcome, "\(place): \(outcome), but the inverse has \(inverse)")
      _ = backend.potrf(test.call, threads: test.threads)
      found.expect(outcome == PivotOutcome(corrections: weak.count), "\(place): \(outcome)")
      // What the factor is one of.
      let l = Ratio.double(test.lower, .lower)
      let product = l.multiplied(by: l.transposed)
      var nearby = Ratio.double(matrix)
      for i in weak {
        found.expect(test.lower[i, i] == 2, "\(place): root \(i) is \(test.lower[i, i])")
        found.expect(product[i, i] > nearby[i, i], "\(place): element \(i) of the diagonal is not raised")
        nearby[i, i] = product[i, i]
      }
      let ratio = Ratio.cholesky(nearby, l, S.self)
      found.expect(ratio < 30, "\(place): residual ratio \(ratio)")
      found.expect(test.damage == nil, "\(place): \(test.damage!)")
    }
    return found
  }

  @Test(arguments: Subject.all)
  static func residuals(_ subject: Subject) { expect(subject) }
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
