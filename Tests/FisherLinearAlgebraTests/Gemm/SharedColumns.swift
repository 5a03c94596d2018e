import FisherLinearAlgebra
import FisherTestSupport
import KernelTemplates
import Testing

/// Products whose B all threads pack together have the bits of one thread, which packs for itself: one block of k and several,
/// last panels of one to three vectors, more columns than the third level of any cache keeps, and as many threads as there
/// are parts and more.
struct SharedColumns: Clause {
  /// m, n, k; each takes longer than half a millisecond, and the fifth packs 12 MB or more.
  static let shapes = [
    (400, 385, 512), (401, 400, 513), (417, 433, 1010), (390, 416, 1030), (60, 1001, 3000), (57, 2000, 700),
  ]

  func violations<S: KernelScalar>(of backend: any Backend, _: S.Type) -> Violations {
    var found = Violations()
    if backend is ReferenceBackend { return found }
    for ((m, n, k), seed) in zip(Self.shapes, Seed.cases(Self.shapes.count)) {
      for layouts in [
        (Layout.rowMajor, Layout.columnMajor), (.columnMajor, .rowMajor), (.columnMajor, .columnMajor),
      ]
      where !found.isFull {
        check(backend, S.self, (m, n, k), layouts, seed, &found)
      }
    }
    return found
  }

  private func check<S: KernelScalar>(
    _ backend: any Backend, _: S.Type, _ shape: (m: Int, n: Int, k: Int), _ layouts: (a: Layout, b: Layout),
    _ seed: UInt64, _ found: inout Violations
  ) {
    var generator = Generator(seed: seed)
    let (m, n, k) = shape
    let a = GuardedMatrix<S>(m, k, layouts.a).filled(.uniform, &generator)
    let b = GuardedMatrix<S>(k, n, layouts.b).filled(.uniform, &generator)
    let old = GuardedMatrix<S>(m, n).filled(.uniform, &generator)
    let text = "FISHER_SEED=\(seed) \(backend.name) \(S.self) \(m)×\(n)×\(k), A \(layouts.a), B \(layouts.b)"
    var expected: [UInt64] = []
    for threads in [1, 2, 3, 16] {
      let c = GuardedMatrix<S>(m, n, Layout(.rowMajor, padding: 3)).filled { old.pointer[$0, $1] }
      (a.buffer.label, b.buffer.label, c.buffer.label) = (text, text, text)
      backend.gemm(
        Gemm(alpha: 0.7, a: a.readOnly, b: b.readOnly, beta: -1, c: c.pointer), threads: threads)
      let bits = c.elementBits()
      if threads == 1 { expected = bits }
      found.expect(bits == expected, "\(text): other bits with \(threads) threads")
      found.expect(c.firstDamage() == nil, "\(text): writes into the gaps of C")
    }
  }

  @Test(arguments: Subject.keepingBits)
  static func sharedColumns(_ subject: Subject) { expect(subject) }
}
