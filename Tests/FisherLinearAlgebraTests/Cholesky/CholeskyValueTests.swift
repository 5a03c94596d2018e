import FisherLinearAlgebra
import FisherTestSupport
import Foundation
import Testing

/// The value that the users see.
struct CholeskyValue: Clause {
  func violations<S: KernelScalar>(of backend: any Backend, _: S.Type) -> Violations {
    var found = Violations()
    for (n, seed) in zip([0, 1, 6, 31, 70, 300], Seed.cases(6)) {
      var generator = Generator(seed: seed)
      let a = DefiniteKind.random.matrix(n, S.self, &generator)
      let place = "\(backend.name) \(S.self) n \(n), seed \(seed)"
      guard var factor = try? Cholesky(a, on: backend, threads: 2) else {
        found.add("\(place): refused")
        continue
      }
      // Norms below 4 and condition below 8.
      let bound = S(128 * Double(n + 1) * S.unitRoundoff)
      func distance(_ x: Matrix<S>, _ y: Matrix<S>) -> S {
        zip(x.array, y.array).reduce(0) { max($0, abs($1.0 - $1.1).isNaN ? .infinity : abs($1.0 - $1.1)) }
      }
      found.expect(distance(factor.reconstructed(on: backend), a) <= bound, "\(place): reconstructed")
      let x = Matrix<S>(rows: n, columns: 3) { _, _ in generator.uniform() }
      let b = a.multiplied(by: x, on: ReferenceBackend())
      found.expect(distance(factor.solving(b, on: backend), x) <= bound, "\(place): solved")
      let inverse = factor.inverse(on: backend)
      found.expect(
        distance(inverse.multiplied(by: a, on: ReferenceBackend()), Matrix(identity: n)) <= bound,
        "\(place): inverse")
      var inPlace = a
      found.expect(
        (try? inPlace.invertPositiveDefinite(on: backend)) == 0 && distance(inPlace, inverse) <= bound,
        "\(place): inverted in place")
      // log det of A by the pivots of plain elimination.
      var u = (0..<n).map { i in (0..<n).map { Double(a[i, $0]) } }
      var sum = 0.0
      for i in 0..<n {
        sum += log(u[i][i])
        for r in i + 1..<max(n, i + 1) {
          let q = u[r][i] / u[i][i]
          for c in i..<n { u[r][c] -= q * u[i][c] }
        }
      }
      let logError = abs(Double(factor.logDeterminant) - sum)
      found.expect(logError <= Double(bound) * Double(n + 1), "\(place): log det errs by \(logError)")
      // There and back again.
      let old = factor
      factor.rankUpdate(x, on: backend)
      var more = a
      gemm(x, x.transposed, beta: 1, into: &more, on: ReferenceBackend())
      found.expect(distance(factor.reconstructed(on: backend), more) <= 4 * bound, "\(place): updated")
      found.expect(error { try factor.rankDowndate(x, on: backend) } == nil, "\(place): downdate refused")
      found.expect(distance(factor.upper, old.upper) <= 16 * bound, "\(place): downdated")
      found.expect((0..<n).allSatisfy { factor.upper[$0, $0] > 0 }, "\(place): roots must be above 0")
    }
    return found
  }

  @Test(arguments: Subject.all)
  static func value(_ subject: Subject) { expect(subject) }
}

/// ‖B − A·X‖ / (‖A‖·‖X‖·ε) < 30 for every n and kind, from either side of the diagonal.
struct CholeskySolutions: Clause {
  func violations<S: KernelScalar>(of backend: any Backend, _: S.Type) -> Violations {
    var found = Violations()
    let large = [191, 193, 257, 321, 385, 511, 512, 513, 600]
    let orders = Array(1...70) + (backend is ReferenceBackend ? [] : [97, 128, 129] + large)
    for (n, seed) in zip(orders, Seed.cases(orders.count)) {
      for (k, kind) in DefiniteKind.allCases.enumerated() where !found.isFull {
        // The largest take the kinds in turn.
        if n > 130 && (n + k) % 3 != 0 { continue }
        var generator = Generator(seed: seed)
        let a = kind.matrix(n, S.self, &generator)
        let place = "\(backend.name) \(S.self) \(kind) n \(n), seed \(seed)"
        guard let factor = try? Cholesky(a, on: backend, threads: 2) else {
          found.add("\(place): refused")
          continue
        }
        // Solutions of about 1, so that neither they nor the right-hand sides leave the range.
        let columns = [1, 3, 16][n % 3]
        let sides = Matrix<S>(rows: n, columns: columns) { i, j in S(1 + (i + j) % 3) / 4 }
        let b = a.multiplied(by: sides)
        let unit = Ratio.unit(a)
        let (left, x) = (
          Ratio.double(a, unit: unit), Ratio.double(factor.solving(b, on: backend, threads: 2))
        )
        let residual = Ratio.residual(Ratio.double(b, unit: unit), left, x)
        let ratio = Ratio.quotient(residual, 1, Ratio.norm(left) * Ratio.norm(x), S.self)
        found.expect(ratio < 30, "\(place): residual ratio \(ratio)")
      }
    }
    return found
  }

  @Test(arguments: Subject.all)
  static func solutions(_ subject: Subject) { expect(subject) }
}

/// A refused downdate or factorization names the pivot and leaves the value as it was.
struct CholeskyRefusals: Clause {
  func violations<S: KernelScalar>(of backend: any Backend, _: S.Type) -> Violations {
    var found = Violations()
    for (n, seed) in zip([1, 4, 40, 300], Seed.cases(4)) {
      var generator = Generator(seed: seed)
      let a = DefiniteKind.random.matrix(n, S.self, &generator)
      let place = "\(backend.name) \(S.self) n \(n), seed \(seed)"
      guard var factor = try? Cholesky(a, on: backend) else {
        found.add("\(place): refused")
        continue
      }
      let bits = factor.upper.array.map(\.bits)
      for pivot in Set([0, n / 2, n - 1]) {
        // A − 4·e·eᵀ·A(p, p) has its first negative pivot at p.
        let x = Matrix<S>(rows: n, columns: 1) { i, _ in
          i == pivot ? 2 * a[pivot, pivot].squareRoot() : 0
        }
        found.expect(
          error { try factor.rankDowndate(x, on: backend) }?.pivot == pivot, "\(place): downdate at \(pivot)")
        var bad = a
        bad[pivot, pivot] = .nan
        found.expect(
          error { try factor.refactorize(bad, on: backend) }?.pivot == pivot,
          "\(place): refactorize at \(pivot)")
        var matrix = bad
        found.expect(
          error { try matrix.invertPositiveDefinite(on: backend) } == .notPositiveDefinite(pivot: pivot),
          "\(place): inverse at \(pivot)")
        found.expect(matrix.array.map(\.bits) == bad.array.map(\.bits), "\(place): the matrix was changed")
        found.expect(factor.upper.array.map(\.bits) == bits, "\(place): the factor was changed")
      }
      found.expect(error { try factor.refactorize(a, on: backend) } == nil, "\(place): refactorize refused")
      found.expect(factor.upper.array.map(\.bits) == bits, "\(place): the second factor is another")
      found.expect(error { try factor.refactorize(a, on: backend) } == nil, "\(place): third factor")
      found.expect(factor.upper.array.map(\.bits) == bits, "\(place): the third factor is another")
    }
    return found
  }

  @Test(arguments: Subject.keepingBits)
  static func refusals(_ subject: Subject) { expect(subject) }
}

@Suite struct CholeskyTraps {
  @Test(.ownThread) func shapes() async {
    expectMessage(
      await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
        _ = try? Cholesky(Matrix<Float>(rows: 3, columns: 4))
      }, "Cholesky: A is 3×4; it must be square")
    expectMessage(
      await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
        _ = try? Cholesky(Matrix<Float>(identity: 3), damping: .absolute(-1))
      }, "it must be at least 0")
    expectMessage(
      await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
        var b = Matrix<Double>(rows: 2, columns: 1)
        try Cholesky(Matrix<Double>(identity: 3)).solve(&b)
      }, "A is 3×3 and B is 2×1")
  }
}
