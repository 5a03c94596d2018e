import FisherLinearAlgebra
import FisherTestSupport
import Testing

/// ‖A ± X·Xᵀ − UᵀU‖/(n·‖A‖·ε) < 30 for the kinds of matrices, and the pivot that a downdate is refused for.
struct CholeskyUpdateResiduals: Clause {
  func violations<S: KernelScalar>(of backend: any Backend, _: S.Type) -> Violations {
    var found = Violations()
    let orders = Array(1...33) + (backend is ReferenceBackend ? [] : [70, 130])
    for (n, seed) in zip(orders, Seed.cases(orders.count)) {
      for kind in DefiniteKind.allCases where !found.isFull {
        var generator = Generator(seed: seed)
        let a = kind.matrix(n, S.self, &generator)
        guard let factor = try? Cholesky(a, on: backend) else {
          found.add("\(backend.name) \(S.self) \(kind) n \(n), seed \(seed): refused")
          continue
        }
        let place = "\(backend.name) \(S.self) \(kind) n \(n), seed \(seed)"
        let x = Matrix<S>(rows: n, columns: 3) { i, _ in
          let y: S = generator.uniform()
          return y * a[i, i].squareRoot()
        }
        var more = factor
        more.rankUpdate(x, on: backend)
        let ratio = residual(more, a, x, 1)
        found.expect(ratio < 30, "\(place): ratio \(ratio) after an update")
        // Uᵀ·y with ‖y‖² = 1/4: the difference keeps three quarters of the smallest eigenvalue.
        let y = vector(factor, Array(repeating: 0.5 / Double(n).squareRoot(), count: n))
        var less = factor
        found.expect(error { try less.rankDowndate(y, on: backend) } == nil, "\(place): downdate refused")
        let rest = residual(less, a, y, -1)
        found.expect(rest < 30, "\(place): ratio \(rest) after a downdate")
        found += checkRefusals(factor, backend, place)
      }
    }
    return found
  }

  /// Σ_{i<p} yᵢ² = 1/4 and y_p = 1: the pivots before p are above 0, and that of p is not.
  private func checkRefusals<S: KernelScalar>(
    _ factor: Cholesky<S>, _ backend: any Backend, _ place: String
  ) -> Violations {
    var found = Violations()
    let n = factor.order
    for p in Set([0, 1, n / 3, n - 1]) where p < n {
      let y = (0..<n).map { $0 < p ? 0.5 / Double(p).squareRoot() : $0 == p ? 1 : 0.25 }
      var less = factor
      let refusal = error { try less.rankDowndate(vector(factor, y), on: backend) }
      found.expect(refusal?.pivot == p, "\(place): downdate at \(p) is refused at \(refusal?.pivot ?? -1)")
      found.expect(less.upper == factor.upper, "\(place): a refused downdate changed the factor")
    }
    return found
  }

  /// Uᵀ·y
  private func vector<S: KernelScalar>(_ factor: Cholesky<S>, _ y: [Double]) -> Matrix<S> {
    Matrix(rows: factor.order, columns: 1) { i, _ in
      S((0...i).reduce(0) { $0 + Double(factor.upper[$1, i]) * y[$1] })
    }
  }

  private func residual<S: KernelScalar>(
    _ factor: Cholesky<S>, _ a: Matrix<S>, _ x: Matrix<S>, _ sign: Double
  ) -> Double {
    let unit = Ratio.evenUnit(a)
    var exact = Ratio.double(a, unit: unit)
    let (x, u) = (
      Ratio.double(x, unit: unit.squareRoot()), Ratio.double(factor.upper, unit: unit.squareRoot())
    )
    let norm = Ratio.norm(exact)
    gemm(alpha: sign, x, x.transposed, beta: 1, into: &exact, threads: 1)
    return Ratio.quotient(Ratio.residual(exact, u.transposed, u), a.rows, norm, S.self)
  }

  @Test(arguments: Subject.all)
  static func updates(_ subject: Subject) { expect(subject) }
}
