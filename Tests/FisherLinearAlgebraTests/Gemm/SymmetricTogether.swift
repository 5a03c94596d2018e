import FisherLinearAlgebra
import FisherTestSupport
import KernelTemplates
import Testing

/// Triangles that several threads pack together have the bits of one thread, which goes other ways: orders around panels of
/// two vectors and a last one of three, one block of k and two, and as many threads as there are panels and more.
struct SyrkTogether: Clause {
  static let orders = [384, 385, 400, 416, 417, 432, 433, 447, 500]

  func violations<S: KernelScalar>(of backend: any Backend, _: S.Type) -> Violations {
    var found = Violations()
    if backend is ReferenceBackend { return found }
    for ((i, n), seed) in zip(Self.orders.enumerated(), Seed.cases(Self.orders.count)) {
      for (j, triangle) in Triangle.allCases.enumerated() where !found.isFull {
        let k = (i + j) % 2 == 0 ? 512 : 1010
        for layout in [Layout.rowMajor, .columnMajor] {
          check(backend, S.self, n, k, triangle, layout, seed, &found)
        }
      }
    }
    return found
  }

  private func check<S: KernelScalar>(
    _ backend: any Backend, _: S.Type, _ n: Int, _ k: Int, _ triangle: Triangle, _ layout: Layout,
    _ seed: UInt64, _ found: inout Violations
  ) {
    var generator = Generator(seed: seed)
    let a = GuardedMatrix<S>(n, k, layout).filled(.uniform, &generator)
    let old = GuardedMatrix<S>(n, n).filled(.uniform, &generator)
    let text = "FISHER_SEED=\(seed) \(backend.name) \(S.self) syrk \(n)×\(k) \(triangle) A \(layout)"
    var expected: [UInt64] = []
    for threads in [1, 2, 3, 16] {
      let c = GuardedMatrix<S>(n, n, Layout(.rowMajor, padding: 3)).filled { old.pointer[$0, $1] }
      (a.buffer.label, c.buffer.label) = (text, text)
      backend.syrk(
        Syrk(alpha: 0.7, a: a.readOnly, beta: -1, c: c.pointer, triangle: triangle, mirror: false),
        threads: threads)
      let bits = c.elementBits()
      if threads == 1 { expected = bits }
      found.expect(bits == expected, "\(text): other bits with \(threads) threads")
      found.expect(c.firstDamage() == nil, "\(text): writes into the gaps of C")
    }
  }

  @Test(arguments: Subject.keepingBits)
  static func syrkTogether(_ subject: Subject) { expect(subject) }
}
