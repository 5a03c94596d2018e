import FisherLinearAlgebra
import FisherTestSupport
import KernelTemplates
import Testing

/// A product that is divided while it is written: the product without it, divided, with three more roundings.
struct Divisors: Clause {
  func violations<S: KernelScalar>(of backend: any Backend, _: S.Type) -> Violations {
    var found = Violations()
    for (m, n) in [(1, 1), (3, 17), (17, 3), (33, 40), (1, 65), (70, 2)] {
      for (k, seed) in zip([0, 1, 300, 1000], Seed.cases(4)) {
        for layout in Layout.outputs where !found.isFull {
          found += check(backend, m, n, k, layout, seed, S.self)
        }
      }
    }
    return found
  }

  private func check<S: KernelScalar>(
    _ backend: any Backend, _ m: Int, _ n: Int, _ k: Int, _ layout: Layout, _ seed: UInt64, _: S.Type
  ) -> Violations {
    var (found, generator) = (Violations(), Generator(seed: seed))
    let a = GuardedMatrix<S>(m, k, generator.pick(Layout.outputs)).filled(.uniform, &generator)
    let b = GuardedMatrix<S>(k, n, generator.pick(Layout.outputs)).filled(.uniform, &generator)
    let bias = GuardedMatrix<S>(n, 1).filled(.uniform, &generator)
    let s = GuardedMatrix<S>(m, 1, Layout(.rowMajor, padding: 1)).filled(.uniform, &generator)
    let t = GuardedMatrix<S>(n, 1, generator.pick([.rowMajor, Layout(.rowMajor, padding: 2)]))
      .filled(.uniform, &generator)
    let moments = GuardedMatrix<S>(m, n, generator.pick(Layout.outputs)).filled(.uniform, &generator)
    let epilogue = Epilogue(
      bias: generator.pick([true, false]) ? .row(bias.vector.readOnly) : .none, activation: .relu)
    let divisors: [(Divisor<S>, (Int, Int) -> Double)] = [
      (
        .outer(s.vector.readOnly, t.vector.readOnly, damping: 2),
        { Double(s.pointer[$0, 0]) * Double(t.pointer[$1, 0]) + 2 }
      ), (.elements(moments.readOnly, damping: 3), { Double(moments.pointer[$0, $1]) + 3 }),
    ]
    for (divisor, value) in divisors {
      let (plain, got) = (GuardedMatrix<S>(m, n, layout), GuardedMatrix<S>(m, n, layout))
      var call = Gemm(
        alpha: 1, a: a.readOnly, b: b.readOnly, beta: 0, c: plain.pointer, epilogue: epilogue)
      backend.gemm(call, threads: 2)
      call.c = got.pointer
      call.epilogue.divisor = divisor
      backend.gemm(call, threads: 2)
      for (i, j) in (0..<m * n).map({ ($0 / n, $0 % n) }) {
        let (x, y) = (Double(got.pointer[i, j]), Double(plain.pointer[i, j]) / value(i, j))
        found.expect(
          (x - y).magnitude <= 4 * S.unitRoundoff * y.magnitude,
          "\(backend.name) \(S.self) \(m)×\(n)×\(k) \(layout), seed \(seed): (\(i), \(j)) is \(x), not \(y)")
      }
      found.expect(got.firstDamage() == nil, "\(backend.name) \(S.self) \(m)×\(n)×\(k) \(layout): gaps")
    }
    return found
  }

  @Test(arguments: Subject.all)
  static func divisors(_ subject: Subject) { expect(subject) }
}
