import FisherLinearAlgebra
import FisherTestSupport
import KernelTemplates
import Testing

/// Triangles that are harder than random ones with a dominant diagonal.
enum TriangularKind: String, CaseIterable {
  /// All elements alike: the condition doubles with every row.
  case plain
  /// Rows or columns over forty binary orders.
  case gradedRows, gradedColumns
  /// One tiny element on the diagonal.
  case nearlySingular
  /// Near overflow, where reciprocals of the diagonal are subnormal, and near underflow.
  case huge, tiny

  /// The power of two of element (i, j) in a triangle of order n.
  func power<S: KernelScalar>(_ i: Int, _ j: Int, _ n: Int, _: S.Type) -> Int {
    switch self {
    case .plain: 0
    case .gradedRows: -40 * i / n
    case .gradedColumns: -40 * j / n
    case .nearlySingular: i == j && i == n / 2 ? -Int(S.significandBitCount) : 0
    case .huge: Int(S.greatestFiniteMagnitude.exponent) - (i == j ? 0 : 8)
    case .tiny: 24 - Int(S.greatestFiniteMagnitude.exponent)
    }
  }
}

/// The residual bound of trsm holds for every triangle: |T·X − α·B| ≤ (n + 3)·u·(|T|·|X| + |α·B|).
struct TriangularResiduals: Clause {
  func violations<S: KernelScalar>(of backend: any Backend, _: S.Type) -> Violations {
    var found = Violations()
    let shapes = (Array(1...30) + [64, 65, 70]).map { ($0, 1 + $0 % 5) } + [(70, 40), (129, 3), (300, 17)]
    for ((n, columns), seed) in zip(shapes, Seed.cases(shapes.count)) {
      for kind in TriangularKind.allCases {
        // A triangle without grading grows by 2 a row; nothing overflows before that order.
        if kind == .plain && n > 70 || backend is ReferenceBackend && n > 70 { continue }
        for triangle in Triangle.allCases where !found.isFull {
          let side = Side.allCases[(n + columns) % 2]
          let (m, k) = side == .left ? (n, columns) : (columns, n)
          let test = TriangularCase<S>(seed: seed, m: m, n: k, side, triangle)
          if test.alpha == 0 || test.unitDiagonal { continue }
          fill(test, kind, n)
          backend.trsm(test.call, threads: test.threads)
          let oracle = test.product(test.b.readOnly)
          let expected = oracle.expected(alpha: 1, beta: -test.alpha, old: test.old.elements())
          let zero = GuardedMatrix<S>(m, k).filled(with: Matrix(rows: m, columns: k))
          let wrong = expected.firstError(in: zero.pointer)
          found.expect(
            wrong == nil, "\(backend.name) trsm \(kind) \(test): X\(wrong!) errs by more than its bound")
        }
      }
    }
    return found
  }

  /// T and B = T·Y/2 with |Y| < 1/2, so that neither products nor solutions leave the range.
  private func fill<S: KernelScalar>(_ test: TriangularCase<S>, _ kind: TriangularKind, _ n: Int) {
    let (full, old, order) = (test.full, test.old, n)
    var generator = Generator(seed: ~test.seed)
    let isLower = test.triangle == .lower
    full.filled { i, j in
      let x: S = generator.uniform()
      if i != j && (j < i) != isLower { return 0 }
      let inner = kind == .plain ? x : x / S(order)
      let y = i == j ? x / 2 + (x < 0 ? -1 : 1) : inner
      return y * S(sign: .plus, exponent: S.Exponent(kind.power(i, j, order, S.self)), significand: 1)
    }
    test.a.filled { i, j in i == j || (j < i) == isLower ? full.pointer[i, j] : .sentinel }
    old.filled { _, _ in
      let x: S = generator.uniform()
      return x / 4
    }
    let image = test.product(old.readOnly)
    old.filled { i, j in S(image.value(i, j)) / 2 }
    test.b.filled { i, j in old.pointer[i, j] }
  }

  @Test(arguments: Subject.all)
  static func residuals(_ subject: Subject) { expect(subject) }
}

/// A zero on the diagonal divides as in the definition, and an infinity in B reaches the rows that depend on it, in its own
/// column: what is NaN, infinite and finite agrees with plain substitution.
struct TriangularDivisions: Clause {
  func violations<S: KernelScalar>(of backend: any Backend, _: S.Type) -> Violations {
    var found = Violations()
    let orders = [1, 2, 5, 14, 33, 70] + (backend is ReferenceBackend ? [] : [130, 270])
    for (n, seed) in zip(orders, Seed.cases(orders.count)) {
      for (triangle, side) in Triangle.allCases.flatMap({ t in Side.allCases.map { (t, $0) } }) {
        for place in Set([0, n / 2, n - 1]) where !found.isFull {
          let (m, k) = side == .left ? (n, 7) : (7, n)
          let test = TriangularCase<S>(seed: seed, m: m, n: k, side, triangle)
          if test.alpha == 0 { continue }
          if !test.unitDiagonal {
            test.a.pointer[place, place] = 0
            compare(test, "a zero at \(place)", "trsm", { $0.trsm($1, threads: $2) }, backend, &found)
            test.a.pointer[place, place] = 1
          }
          let (i, j) = side == .left ? (place, 3) : (3, place)
          test.old.pointer[i, j] = .infinity
          for (name, run) in TriangularCase<S>.routines {
            compare(test, "∞ at (\(i), \(j))", name, run, backend, &found)
          }
        }
      }
    }
    return found
  }

  private func compare<S: KernelScalar>(
    _ test: TriangularCase<S>, _ what: String, _ name: String,
    _ run: (any Backend, Triangular<S>, _ threads: Int) -> Void, _ backend: any Backend,
    _ found: inout Violations
  ) {
    let results = [backend, ReferenceBackend()].map { backend in
      test.b.filled { i, j in test.old.pointer[i, j] }
      run(backend, test.call, test.threads)
      return test.b.elements()
    }
    for (at, (x, y)) in zip(results[0], results[1]).enumerated() {
      let agrees = y.isFinite ? x.isFinite : y.isNaN ? x.isNaN : x == y
      found.expect(agrees, "\(backend.name) \(name) \(test), \(what): element \(at) is \(x), not \(y)")
    }
  }

  @Test(arguments: Subject.keepingBits)
  static func divisions(_ subject: Subject) { expect(subject) }
}
