import FisherLinearAlgebra
import FisherTestSupport
import KernelTemplates
import Testing

/// syrk on both triangles, from A·Aᵀ and AᵀA, wide and tall, with mirror and running average; the other triangle
/// is neither read nor written unless the mirror is asked for, and then it is the exact transpose.
struct SyrkClause: Clause {
  func violations<S: KernelScalar>(of backend: any Backend, _: S.Type) -> Violations {
    var found = Violations()
    let shapes =
      (0...40).map { ($0, [1, 3, 17, 64, 300][$0 % 5]) } + (0...20).map { (7, $0) }
      + [
        (63, 65), (64, 128), (65, 257), (97, 33), (129, 70), (200, 9), (5, 100_000), (17, 20_001),
        (50, 5_000),
      ]
    for (shape, seed) in zip(shapes, Seed.cases(shapes.count)) {
      for triangle in Triangle.allCases {
        for mirror in [false, true] where !found.isFull {
          check(backend, S.self, n: shape.0, k: shape.1, triangle, mirror, seed, &found)
        }
      }
    }
    return found
  }

  /// One case drawn from the seed. If the layout of A is given, there is a product on one thread, C has
  /// contiguous rows, and β is 0: with another β, what is written over a sentinel would keep the sentinel's bits, because
  /// it is a NaN.
  fileprivate func check<S: KernelScalar>(
    _ backend: any Backend, _: S.Type, n: Int, k: Int, _ triangle: Triangle, _ mirror: Bool, _ seed: UInt64,
    layoutA given: Layout? = nil, _ found: inout Violations
  ) {
    var generator = Generator(seed: seed ^ (triangle == .lower ? 0 : 1 << 40))
    let alpha: S = generator.pick(given == nil ? [0, 1, -1, 0.7] : [1, -1, 0.7])
    let beta: S = generator.pick(given == nil ? [0, 1, -1, 0.7] : [0])
    let (layoutA, layoutC) = (
      given ?? generator.pick(Layout.inputs), given == nil ? generator.pick(Layout.outputs) : .rowMajor
    )
    let flush = generator.pick(Flush.allCases)
    let a = GuardedMatrix<S>(n, k, layoutA, flush: flush).filled(alpha == 0 ? .poison : .uniform, &generator)
    let old = GuardedMatrix<S>(n, n).filled(.uniform, &generator)
    let inside = { (i: Int, j: Int) in triangle == .lower ? j <= i : j >= i }
    let c = GuardedMatrix<S>(n, n, layoutC, flush: flush)
      .filled { i, j in inside(i, j) && beta != 0 ? old.pointer[i, j] : .sentinel }
    let text =
      "FISHER_SEED=\(seed) \(backend.name) \(S.self) syrk \(n)×\(k) \(triangle) mirror \(mirror) "
      + "A \(layoutA) C \(layoutC) \(flush) α \(alpha) β \(beta)"
    a.buffer.label = text
    c.buffer.label = text
    backend.syrk(
      Syrk(alpha: alpha, a: a.readOnly, beta: beta, c: c.pointer, triangle: triangle, mirror: mirror),
      threads: given == nil ? generator.pick(1...3) : 1)
    let oracle = alpha == 0 ? Oracle(absent: n, n) : Oracle(a.readOnly, a.readOnly.transposed)
    for i in 0..<n {
      for j in 0..<n {
        let value = c.pointer[i, j]
        if inside(i, j) {
          let ratio = oracle.errorRatio(of: value, i, j, alpha: alpha, beta: beta, old: old.pointer[i, j])
          found.expect(ratio <= 1, "\(text): C[\(i), \(j)] errs by \(ratio) bounds")
        } else {
          let expected = mirror ? c.pointer[j, i].bits : S.sentinel.bits
          found.expect(value.bits == expected, "\(text): other triangle wrong at (\(i), \(j))")
        }
      }
    }
    found.expect(c.firstDamage() == nil, "\(text): writes into the gaps of C")
  }

  @Test(arguments: Subject.all)
  static func syrk(_ subject: Subject) { expect(subject) }
}

/// Triangles of orders beyond those that are packed once: runs of tiles end before the diagonal, and so does a product of
/// very few steps. 266 is a multiple of the heights 14 and 7, and tiles of 14 rows meet the diagonal in their last one.
struct SyrkRuns: Clause {
  func violations<S: KernelScalar>(of backend: any Backend, _: S.Type) -> Violations {
    var found = Violations()
    for (k, seed) in zip([5, 65], Seed.cases(2)) {
      for layout in [Layout.rowMajor, .columnMajor] {
        for triangle in Triangle.allCases where !found.isFull {
          SyrkClause().check(
            backend, S.self, n: 266, k: k, triangle, false, seed, layoutA: layout, &found)
        }
      }
    }
    return found
  }

  @Test(arguments: Subject.all)
  static func syrkRuns(_ subject: Subject) { expect(subject) }
}

/// symm from either triangle, on the left and, as the transposed call, on the right; the other triangle of A is
/// not read.
struct SymmClause: Clause {
  func violations<S: KernelScalar>(of backend: any Backend, _: S.Type) -> Violations {
    var found = Violations()
    let shapes = (0...33).map { ($0, ($0 * 7) % 20) } + [(64, 65), (97, 40), (130, 33), (257, 9)]
    for (shape, seed) in zip(shapes, Seed.cases(shapes.count)) {
      for triangle in Triangle.allCases where !found.isFull {
        check(backend, S.self, m: shape.0, n: shape.1, triangle, seed, &found)
      }
    }
    return found
  }

  private func check<S: KernelScalar>(
    _ backend: any Backend, _: S.Type, m: Int, n: Int, _ triangle: Triangle, _ seed: UInt64,
    _ found: inout Violations
  ) {
    var generator = Generator(seed: seed)
    let alpha: S = generator.pick([0, 1, -1, 0.7])
    let beta: S = generator.pick([0, 1, -1, 0.7])
    let layouts = (a: generator.pick(Layout.outputs), b: generator.pick(Layout.inputs))
    let layoutC = generator.pick(Layout.outputs)
    let full = GuardedMatrix<S>(m, m).filled(.uniform, &generator)
    full.filled { i, j in full.pointer[max(i, j), min(i, j)] }
    let a = GuardedMatrix<S>(m, m, layouts.a).filled { i, j in
      (triangle == .lower ? j <= i : j >= i) && alpha != 0 ? full.pointer[i, j] : .sentinel
    }
    let b = GuardedMatrix<S>(m, n, layouts.b).filled(alpha == 0 ? .poison : .uniform, &generator)
    let old = GuardedMatrix<S>(m, n).filled(.uniform, &generator)
    let c = GuardedMatrix<S>(m, n, layoutC).filled { i, j in beta == 0 ? .sentinel : old.pointer[i, j] }
    let text =
      "FISHER_SEED=\(seed) \(backend.name) \(S.self) symm \(m)×\(n) \(triangle) A \(layouts.a) B \(layouts.b) "
      + "C \(layoutC) α \(alpha) β \(beta)"
    for buffer in [a.buffer, b.buffer, c.buffer] { buffer.label = text }
    backend.symm(
      Symm(
        alpha: alpha, a: a.readOnly, triangle: triangle, b: b.readOnly, beta: beta, c: c.pointer),
      threads: generator.pick(1...3))
    let oracle = alpha == 0 ? Oracle(absent: m, n) : Oracle(full.readOnly, b.readOnly)
    for i in 0..<m {
      for j in 0..<n {
        let ratio = oracle.errorRatio(
          of: c.pointer[i, j], i, j, alpha: alpha, beta: beta, old: old.pointer[i, j])
        found.expect(ratio <= 1, "\(text): C[\(i), \(j)] errs by \(ratio) bounds")
      }
    }
    found.expect(c.firstDamage() == nil, "\(text): writes into the gaps of C")
  }

  @Test(arguments: Subject.all)
  static func symm(_ subject: Subject) { expect(subject) }
}
