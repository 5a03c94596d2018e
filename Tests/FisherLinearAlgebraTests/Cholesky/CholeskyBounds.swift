import FisherLinearAlgebra
import FisherTestSupport
import KernelTemplates
import Testing

/// |A + λI − L·Lᵀ| ≤ (n + 8)·u·|L|·|Lᵀ| in every element, which says more than a ratio of norms where rows differ in size.
///
/// A term passes n − 1 additions. Inside a tile it is n_ij·(n_i·(1/d)) where the factor's own elements, n·(√d·(1/d)) each,
/// make another product: eight roundings tell the two apart. One is that of A + λ.
struct CholeskyElements: Clause {
  func violations<S: KernelScalar>(of backend: any Backend, _: S.Type) -> Violations {
    var found = Violations()
    let orders =
      Array(1...18) + [31, 32, 33, 40] + (backend is ReferenceBackend ? [] : [64, 65, 70, 97, 129, 257, 513])
    for (n, seed) in zip(orders, Seed.cases(orders.count)) {
      for (k, kind) in DefiniteKind.allCases.enumerated() where n <= 40 || (n + k) % (n < 130 ? 3 : 6) == 0 {
        if found.isFull { break }
        var test = CholeskyCase<S>(seed: seed, n, kind)
        if kind == .nearlySingular && n % 2 == 0 { test.absolute = 0.25 }
        let outcome = backend.potrf(test.call, threads: test.threads)
        found.expect(outcome == PivotOutcome(), "\(backend.name) potrf \(test): \(outcome)")
        let (worst, i, j) = largestError(test)
        found.expect(
          worst <= 1, "\(backend.name) potrf \(test) λ \(test.absolute): (\(i), \(j)) errs by \(worst) bounds"
        )
      }
    }
    return found
  }

  private func largestError<S: KernelScalar>(_ test: CholeskyCase<S>) -> (ratio: Double, i: Int, j: Int) {
    let (n, lower) = (test.order, test.lower)
    let l = Matrix<S>(rows: n, columns: n) { i, j in j <= i ? lower[i, j] : 0 }
    let product = l.withPointer { Oracle($0, $0.transposed) }
    var worst = (ratio: 0.0, i: 0, j: 0)
    for i in 0..<n {
      for j in 0...i {
        let element = test.matrix[i, j] + (i == j ? test.absolute : 0)
        let ratio =
          product.errorRatio(of: element, i, j, alpha: 1, beta: 0, old: 0) * Double(n + 3) / Double(n + 8)
        if ratio > worst.ratio { worst = (ratio, i, j) }
      }
    }
    return worst
  }

  @Test(arguments: Subject.all)
  static func elements(_ subject: Subject) { expect(subject) }
}

/// Pivots whose reciprocals are not normal numbers, or nearly so: D·A·D with powers of two D has the factor D·L, and each
/// pivot of the order of the smallest or the largest number.
struct CholeskyRange: Clause {
  func violations<S: KernelScalar>(of backend: any Backend, _: S.Type) -> Violations {
    var found = Violations()
    let orders = [1, 2, 3, 5, 14, 16, 17, 31, 33, 70, 130]
    let half = Int(S.greatestFiniteMagnitude.exponent) / 2
    for (n, seed) in zip(orders, Seed.cases(orders.count)) {
      found += subnormal(backend, seed, n, S.self)
      let patterns: [[Int]] = [[-half], [half], [half, -half, 0], [-half, 0], [0, half - 1, 1 - half]]
      for powers in patterns where !found.isFull {
        var generator = Generator(seed: seed)
        let plain = DefiniteKind.random.matrix(n, S.self, &generator)
        func scaled(_ x: S, _ i: Int, _ j: Int, _ sign: Int) -> S {
          // One after the other: neither product leaves the range, but the power of both might.
          x * power(sign * powers[i % powers.count]) * power(sign * powers[j % powers.count])
        }
        let matrix = Matrix<S>(rows: n, columns: n) { i, j in scaled(plain[i, j], i, j, 1) }
        let test = CholeskyCase<S>(seed: seed, matrix)
        let outcome = backend.potrf(test.call, threads: test.threads)
        let place = "\(backend.name) potrf \(test) scaled by 2^\(powers)"
        found.expect(outcome == PivotOutcome(), "\(place): \(outcome)")
        // Elements that became subnormal have lost digits: the matrix that was given, not the plain one.
        let given = Matrix<S>(rows: n, columns: n) { i, j in scaled(matrix[i, j], i, j, -1) }
        let lower = test.lower
        let l = Matrix<S>(rows: n, columns: n) { i, j in
          j <= i ? lower[i, j] * power(-powers[i % powers.count]) : 0
        }
        let ratio = l.withPointer { Ratio.cholesky(given, $0) }
        found.expect(ratio < 30, "\(place): residual ratio \(ratio)")
      }
    }
    return found
  }

  /// A diagonal of subnormal squares, whose reciprocals overflow: the roots are exact, and zeros stay zeros.
  private func subnormal<S: KernelScalar>(_ backend: any Backend, _ seed: UInt64, _ n: Int, _: S.Type)
    -> Violations
  {
    var found = Violations()
    let half = (S.leastNonzeroMagnitude.exponent + 1) / 2
    let unit: S = power(Int(half))
    let matrix = Matrix<S>(rows: n, columns: n) { i, j in
      i == j ? S((i % 5 + 1) * (i % 5 + 1)) * unit * unit : 0
    }
    let test = CholeskyCase<S>(seed: seed, matrix)
    let outcome = backend.potrf(test.call, threads: test.threads)
    found.expect(outcome == PivotOutcome(), "\(backend.name) \(test), subnormal pivots: \(outcome)")
    let lower = test.lower
    for i in 0..<n {
      for j in 0...i {
        let x = i == j ? S(i % 5 + 1) * unit : 0
        found.expect(
          lower[i, j] == x,
          "\(backend.name) \(test), subnormal pivots: (\(i), \(j)) is \(lower[i, j]), not \(x)")
      }
    }
    return found
  }

  private func power<S: KernelScalar>(_ exponent: Int) -> S {
    S(sign: .plus, exponent: S.Exponent(exponent), significand: 1)
  }

  @Test(arguments: Subject.all)
  static func range(_ subject: Subject) { expect(subject) }
}
