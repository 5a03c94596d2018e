import FisherLinearAlgebra
import FisherTestSupport
import KernelTemplates
import Testing

/// A NaN or infinity in T reaches what plain substitution says, also where it meets a zero of the solution: no row is left
/// out because what it is multiplied with is 0, and no −0 comes of a right-hand side of 0.
struct TriangularEntries: Clause {
  func violations<S: KernelScalar>(of backend: any Backend, _: S.Type) -> Violations {
    var found = Violations()
    let orders = [2, 3, 5, 14, 33, 70] + (backend is ReferenceBackend ? [] : [130, 270])
    for (n, seed) in zip(orders, Seed.cases(orders.count)) {
      for (triangle, side) in Triangle.allCases.flatMap({ t in Side.allCases.map { (t, $0) } }) {
        for value in [S.nan, .infinity, -.infinity] where !found.isFull {
          for place in Set([0, n / 2, n - 1]) {
            check(seed, n, side, triangle, value, place, backend, &found)
          }
        }
      }
    }
    return found
  }

  /// T has ones on its diagonal, few other elements, and one special value beside or on the diagonal; B is nearly all 0.
  private func check<S: KernelScalar>(
    _ seed: UInt64, _ n: Int, _ side: Side, _ triangle: Triangle, _ value: S, _ place: Int,
    _ backend: any Backend, _ found: inout Violations
  ) {
    var generator = Generator(seed: seed)
    let partner = Int.random(in: 0..<n, using: &generator)
    let (row, column) =
      (place > partner) == (triangle == .lower) ? (place, partner) : (partner, place)
    let sparse = (0..<n * n).map { _ in generator.pick([0, 0, 0, 0, 0, 0, 0, 1, -1] as [S]) }
    let T = Matrix<S>(rows: n, columns: n) { i, j in
      if (i, j) == (row, column) { return value }
      if i == j { return 1 }
      return (j < i) == (triangle == .lower) ? sparse[i * n + j] / S(n) : .nan
    }
    let B = Matrix<S>(rows: side == .left ? n : 9, columns: side == .left ? 9 : n) { i, j in
      (i + j) % n == place ? 1 : 0
    }
    for (name, run) in TriangularCase<S>.routines {
      let results = [backend, ReferenceBackend()].map { backend in
        var x = B
        T.withPointer { t in
          x.withMutablePointer { x in
            run(backend, Triangular(side: side, triangle: triangle, alpha: 1, a: t, b: x), 1)
          }
        }
        return x.array
      }
      for (at, (x, y)) in zip(results[0], results[1]).enumerated() {
        found.expect(
          Kind(x) == Kind(y) && (name == "trmm" || x != 0 || x.sign == .plus || y.sign == .minus),
          "\(backend.name) \(S.self) \(name) \(side) \(triangle) n \(n), seed \(seed), \(value) at (\(row), \(column)): "
            + "element \(at) is \(x), not \(y)")
      }
    }
  }

  @Test(arguments: Subject.keepingBits)
  static func entries(_ subject: Subject) { expect(subject) }
}
