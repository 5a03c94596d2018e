import FisherLinearAlgebra
import FisherTestSupport
import Testing

/// A^(−1/p): the definition Xᵖ·A = I, and one method against the other.
struct InverseRootClause: Clause {
  func violations<S: KernelScalar>(of backend: any Backend, _: S.Type) -> Violations {
    var found = Violations()
    for (n, seed) in zip([1, 2, 3, 8, 17, 33, 50], Seed.cases(7)) {
      for p in [1, 2, 3, 4, 8] where !found.isFull {
        var generator = Generator(seed: seed)
        let b = GeneralKind.random.matrix(n, 2 * n, S.self, &generator)
        var a = b.multiplied(by: b.transposed)
        for i in 0..<n { for j in 0..<i { a[j, i] = a[i, j] } }
        let place = "\(backend.name) FISHER_SEED=\(seed) \(S.self) n \(n) p \(p)"
        let eigen = InverseRoot(a, p: p, damping: .relative(0.125), on: backend, threads: 2)
        let newton = InverseRoot(
          a, p: p, damping: .relative(0.125), by: .coupledNewton(tolerance: 8 * S(n) * S.ulpOfOne),
          on: backend, threads: 2)
        // The condition is below 100.
        let bound = 100 * S(n + 4) * S(p) * S.ulpOfOne
        found.expect(eigen.residual < bound, "\(place): residual \(eigen.residual) by eigenvalues")
        found.expect(newton.residual < bound, "\(place): residual \(newton.residual) by Newton")
        found.expect(newton.iterations > 0 || n == 1, "\(place): no iteration")
        let exact = Ratio.double(
          InverseRoot(a, p: p, damping: .relative(0.125), on: ReferenceBackend()).matrix)
        for (name, root) in [("eigen", eigen), ("newton", newton)] {
          let error = Ratio.norm(Ratio.difference(Ratio.double(root.matrix), exact))
          found.expect(
            error <= Double(bound) * Ratio.norm(exact),
            "\(place): \(name) differs by \(error) from the reference")
        }
      }
    }
    return found
  }

  @Test(arguments: Subject.all)
  static func roots(_ subject: Subject) { expect(subject) }
}

struct InverseRootTests {
  @Test func byHand() {
    let root = InverseRoot<Double>([[16, 0], [0, 81]], p: 4)
    #expect((root.matrix[0, 0] - 0.5).magnitude < 1e-15 && (root.matrix[1, 1] - 1.0 / 3).magnitude < 1e-15)
    #expect(root.residual < 1e-14 && root.raised == 0)
  }

  @Test func raisesAndCounts() {
    let root = InverseRoot<Double>([[4, 0], [0, -1]], p: 2, by: .eigen(floor: 0.25))
    #expect(root.raised == 1 && root.matrix[1, 1] == 2)
    // X²·A is diag(1, −4).
    #expect((root.residual - 5).magnitude < 1e-14)
  }

  @Test func tellsWhereThereIsNoRoot() {
    let negative: Matrix<Double> = [[4, 0], [0, -1]]
    #expect(!(InverseRoot(negative, p: 2, by: .eigen()).residual < 1))
    #expect(!(InverseRoot(negative, p: 2, by: .coupledNewton()).residual < 0.5))
    let poisoned: Matrix<Double> = [[.nan, 0], [0, 1]]
    #expect(InverseRoot(poisoned, p: 2).residual.isNaN)
  }
}
