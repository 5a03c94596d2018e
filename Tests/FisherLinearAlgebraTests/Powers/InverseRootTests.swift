import FisherLinearAlgebra
import FisherTestSupport
import Testing

/// A^(−1/p): the definition Xᵖ·A = I, for every n up to 70, and one method against the other.
struct InverseRootClause: Clause {
  func violations<S: KernelScalar>(of backend: any Backend, _: S.Type) -> Violations {
    var found = Violations()
    // The naive eigenvalues take n³ steps a sweep.
    let isNaive = backend is ReferenceBackend
    for (n, seed) in zip(1...70, Seed.cases(70)) where !isNaive || n <= 20 || n == 33 {
      // All powers for the smallest orders, then in turn.
      for (k, p) in [1, 2, 3, 4, 8].enumerated() where !found.isFull && (n <= 4 || (n + k) % 5 == 0) {
        var generator = Generator(seed: seed)
        let b = GeneralKind.random.matrix(n, 2 * n, S.self, &generator)
        var a = b.multiplied(by: b.transposed)
        for i in 0..<n { for j in 0..<i { a[j, i] = a[i, j] } }
        let place = "\(backend.name) FISHER_SEED=\(seed) \(S.self) n \(n) p \(p)"
        guard let eigen = try? InverseRoot(a, p: p, damping: .relative(0.125), on: backend, threads: 2),
          let newton = try? InverseRoot(
            a, p: p, damping: .relative(0.125), by: .coupledNewton(tolerance: 8 * S(n) * S.ulpOfOne),
            on: backend, threads: 2)
        else {
          found.add("\(place): no root")
          continue
        }
        // The condition is below 100.
        let bound = 100 * S(n + 4) * S(p) * S.ulpOfOne
        found.expect(eigen.residual < bound, "\(place): residual \(eigen.residual) by eigenvalues")
        found.expect(newton.residual < bound, "\(place): residual \(newton.residual) by Newton")
        found.expect(newton.iterations > 0 || n == 1, "\(place): no iteration")
        for (name, root) in [("eigen", eigen), ("newton", newton)] {
          let error = definitionError(root.matrix, a, p)
          found.expect(error < Double(n) * Double(bound), "\(place): \(name): ‖Xᵖ·A − I‖ is \(error)")
        }
        if n > 20 && n % 16 != 1 { continue }
        let reference = try? InverseRoot(a, p: p, damping: .relative(0.125), on: ReferenceBackend())
        guard let exact = (reference?.matrix).map({ Ratio.double($0) }) else {
          found.add("\(place): the reference has no root")
          continue
        }
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

  /// ‖Xᵖ·(A + λ·I) − I‖₁ with λ an eighth of the mean of the diagonal, in double precision.
  private func definitionError<S: KernelScalar>(_ x: Matrix<S>, _ a: Matrix<S>, _ p: Int) -> Double {
    let (n, x) = (a.rows, Ratio.double(x))
    var damped = Ratio.double(a)
    let mean = (0..<n).reduce(0) { $0 + damped[$1, $1] } / Double(n)
    for i in 0..<n { damped[i, i] += 0.125 * mean }
    let product = (0..<p - 1).reduce(x) { power, _ in power.multiplied(by: x) }
    return Ratio.residual(Matrix(identity: n), product, damped)
  }

  @Test(arguments: Subject.all)
  static func roots(_ subject: Subject) { expect(subject) }
}

struct InverseRootTests {
  @Test func byHand() throws {
    let root = try InverseRoot<Double>([[16, 0], [0, 81]], p: 4)
    #expect((root.matrix[0, 0] - 0.5).magnitude < 1e-15 && (root.matrix[1, 1] - 1.0 / 3).magnitude < 1e-15)
    #expect(root.residual < 1e-14 && root.raised == 0)
  }

  /// Not measuring the residual changes nothing else, and a root by eigenvectors is symmetric to the last bit.
  @Test func theResidualIsMeasuredOnRequest() throws {
    var generator = Generator(seed: Seed.first)
    for n in [1, 2, 17, 70] {
      let a = DefiniteKind.random.matrix(n, Float.self, &generator)
      for method in [InverseRootMethod<Float>.eigen(), .coupledNewton()] {
        let measured = try InverseRoot(a, p: 3, damping: .relative(1e-3), by: method)
        let root = try InverseRoot(a, p: 3, damping: .relative(1e-3), by: method, measuresResidual: false)
        #expect(root.matrix == measured.matrix && root.residual.isNaN && measured.residual < 1e-2, "n \(n)")
        if case .eigen = method { #expect(root.matrix == root.matrix.transposed, "n \(n)") }
      }
    }
    #expect(throws: FactorizationError.notFinite) {
      try InverseRoot<Double>([[.infinity, 0], [0, 1]], p: 2, measuresResidual: false)
    }
  }

  @Test func raisesAndCounts() throws {
    let root = try InverseRoot<Double>([[4, 0], [0, -1]], p: 2, by: .eigen(floor: 0.25))
    #expect(root.raised == 1 && root.matrix[1, 1] == 2)
    // X²·A is diag(1, −4).
    #expect((root.residual - 5).magnitude < 1e-14)
  }

  @Test func tellsWhereThereIsNoRoot() throws {
    let negative: Matrix<Double> = [[4, 0], [0, -1]]
    #expect(throws: FactorizationError.notPositiveDefinite(pivot: 0)) { try InverseRoot(negative, p: 2) }
    let newton = try? InverseRoot(negative, p: 2, by: .coupledNewton())
    #expect(!((newton?.residual ?? .infinity) < 0.5))
    var root = try InverseRoot<Double>([[4, 0], [0, 1]], p: 2)
    let before = root
    for method in [InverseRootMethod<Double>.eigen(), .coupledNewton()] {
      #expect(throws: FactorizationError.notFinite) {
        try root.refactorize([[.nan, 0], [0, 1]], p: 2, by: method)
      }
    }
    #expect(root.matrix == before.matrix && root.residual == before.residual, "a failure changed the value")
  }
}
