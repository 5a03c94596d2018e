import FisherLinearAlgebra
import FisherTestSupport
import KernelTemplates
import Testing

/// trsm by its residual: |T·X − α·B| ≤ (n + 3)·u·(|T|·|X| + |α·B|) in every element, which any order of substitution
/// keeps; two more roundings for a reciprocal diagonal are within the 3.
struct TrsmClause: Clause {
  func violations<S: KernelScalar>(of backend: any Backend, _: S.Type) -> Violations {
    var found = Violations()
    for test in TriangularCase<S>.all() where !found.isFull {
      backend.trsm(test.call, threads: test.threads)
      // T·X − α·B must be 0.
      let (m, n) = (test.b.rows, test.b.columns)
      let oracle = test.alpha == 0 ? Oracle(absent: m, n) : test.product(test.b.readOnly)
      let expected = oracle.expected(alpha: 1, beta: -test.alpha, old: test.old.elements())
      let residual =
        test.alpha == 0 ? test.b : GuardedMatrix<S>(m, n).filled(with: Matrix(rows: m, columns: n))
      let wrong = expected.firstError(in: residual.pointer)
      found.expect(wrong == nil, "\(backend.name) trsm \(test): X\(wrong!) errs by more than its bound")
      found.expect(test.b.firstDamage() == nil, "\(backend.name) trsm \(test): writes into the gaps of B")
    }
    return found
  }

  @Test(arguments: Subject.all)
  static func trsm(_ subject: Subject) { expect(subject) }
}

/// trmm by its definition.
struct TrmmClause: Clause {
  func violations<S: KernelScalar>(of backend: any Backend, _: S.Type) -> Violations {
    var found = Violations()
    for test in TriangularCase<S>.all() where !found.isFull {
      backend.trmm(test.call, threads: test.threads)
      let (m, n) = (test.b.rows, test.b.columns)
      let oracle = test.alpha == 0 ? Oracle(absent: m, n) : test.product(test.old.readOnly)
      let wrong = oracle.expected(alpha: test.alpha, beta: 0, old: []).firstError(in: test.b.pointer)
      found.expect(wrong == nil, "\(backend.name) trmm \(test): B\(wrong!) errs by more than its bound")
      found.expect(test.b.firstDamage() == nil, "\(backend.name) trmm \(test): writes into the gaps of B")
    }
    return found
  }

  @Test(arguments: Subject.all)
  static func trmm(_ subject: Subject) { expect(subject) }
}

/// A NaN or an infinity reaches what the definition says and nothing else: only rows that depend on it, only its column.
struct TriangularSpecialValues: Clause {
  func violations<S: KernelScalar>(of backend: any Backend, _: S.Type) -> Violations {
    var found = Violations()
    for (n, seed) in zip([1, 5, 14, 33, 70], Seed.cases(5)) {
      for triangle in Triangle.allCases {
        for (row, column) in [(0, 0), (n / 2, 3), (n - 1, 36)] where !found.isFull {
          let test = TriangularCase<S>(seed: seed, m: n, n: 37, .left, triangle)
          guard test.alpha != 0 else { continue }
          for (routine, run) in TriangularCase<S>.routines {
            test.b.filled { i, j in (i, j) == (row, column) ? .nan : test.old.pointer[i, j] }
            run(backend, test.call, test.threads)
            for i in 0..<n {
              for j in 0..<37 {
                let depends = j == column && (triangle == .lower ? i >= row : i <= row)
                found.expect(
                  test.b.pointer[i, j].isNaN == depends,
                  "\(backend.name) \(routine) \(test): NaN at (\(row), \(column)), (\(i), \(j)) is \(test.b.pointer[i, j])"
                )
              }
            }
          }
        }
      }
    }
    return found
  }

  @Test(arguments: Subject.keepingBits)
  static func specialValues(_ subject: Subject) { expect(subject) }
}

/// The same bits for any number of threads.
struct TriangularBits: Clause {
  func violations<S: KernelScalar>(of backend: any Backend, _: S.Type) -> Violations {
    var found = Violations()
    for ((m, n), seed) in zip([(70, 300), (300, 70), (530, 260), (600, 3)], Seed.cases(4)) {
      for side in Side.allCases where !found.isFull {
        let test = TriangularCase<S>(seed: seed, m: m, n: n, side, seed % 2 == 0 ? .lower : .upper)
        for (routine, run) in TriangularCase<S>.routines {
          let bits = [1, 2, 3, 7].map { threads in
            test.b.filled { i, j in test.old.pointer[i, j] }
            run(backend, test.call, threads)
            return test.b.elementBits()
          }
          found.expect(Set(bits).count == 1, "\(backend.name) \(routine) \(test): threads change the bits")
        }
      }
    }
    return found
  }

  @Test(arguments: Subject.keepingBits)
  static func bits(_ subject: Subject) { expect(subject) }
}
