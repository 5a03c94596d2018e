import FisherLinearAlgebra
import FisherTestSupport
import KernelTemplates
import Testing

/// A group of products of different shapes, layouts and epilogues: each is right and, where bits are promised, has
/// those of the single call.
struct Groups: Clause {
  var comparesBits = true

  func violations<S: KernelScalar>(of backend: any Backend, _: S.Type) -> Violations {
    var found = Violations()
    for (count, seed) in zip([0, 1, 2, 7, 30, 60], Seed.cases(6)) where !found.isFull {
      var generator = Generator(seed: seed)
      let cases = (0..<count).map { i in
        let sizes = (0..<3).map { _ in generator.pick([0, 1, 2, 3, 5, 8, 16, 17, 33, 64, 100]) }
        return GemmCase<S>(seed: seed &+ UInt64(i) << 32, sizes[0], sizes[1], sizes[2]).withEpilogue()
      }
      let operands = cases.map { GemmOperands($0) }
      operands.map(\.call).withUnsafeBufferPointer { backend.gemm(group: $0, threads: generator.pick(1...3)) }
      for (test, group) in zip(cases, operands) {
        group.check(backend, &found)
        let single = GemmOperands(test)
        backend.gemm(single.call, threads: 1)
        let sameBits = group.c.elementBits() == single.c.elementBits()
        found.expect(
          !comparesBits || sameBits, "\(backend.name): group differs from the single call; \(test)")
      }
    }
    return found
  }

  @Test(arguments: Subject.all)
  static func groups(_ subject: Subject) { Groups(comparesBits: subject.target.keepsBits).expect(subject) }
}

/// Strided batches, with inputs of their own and shared ones: right, and with the bits of the single calls.
struct Batches: Clause {
  var comparesBits = true

  static let shapes = [
    (1, 1, 1), (2, 3, 4), (4, 4, 4), (5, 7, 0), (0, 3, 2), (8, 8, 8), (9, 16, 17), (31, 33, 12),
    (70, 20, 300),
  ]

  func violations<S: KernelScalar>(of backend: any Backend, _: S.Type) -> Violations {
    var found = Violations()
    for (shape, seed) in zip(Self.shapes, Seed.cases(Self.shapes.count)) {
      for count in [0, 1, 2, 5, 16, 37] {
        for shared in 0..<4 where !found.isFull {
          check(backend, S.self, shape, count, shares: (shared & 1 != 0, shared & 2 != 0), seed, &found)
        }
      }
    }
    return found
  }

  private func check<S: KernelScalar>(
    _ backend: any Backend, _: S.Type, _ shape: (Int, Int, Int), _ count: Int, shares: (a: Bool, b: Bool),
    _ seed: UInt64, _ found: inout Violations
  ) {
    var generator = Generator(seed: seed)
    let (m, n, k) = shape
    // Stacked on top of each other: one after the other if row-major, interleaved if column-major.
    let layouts = (0..<3).map { _ in generator.pick(Layout.outputs) }
    let a = GuardedMatrix<S>(shares.a ? m : count * m, k, layouts[0]).filled(.uniform, &generator)
    let b = GuardedMatrix<S>(shares.b ? k : count * k, n, layouts[1]).filled(.uniform, &generator)
    let old = GuardedMatrix<S>(count * m, n).filled(.uniform, &generator)
    let c = (0..<2).map { _ in
      GuardedMatrix<S>(count * m, n, layouts[2]).filled { i, j in old.pointer[i, j] }
    }
    let bias = GuardedMatrix<S>(n, 1).filled(.uniform, &generator)
    let strides = (
      a: shares.a ? 0 : m * a.pointer.rowStride, b: shares.b ? 0 : k * b.pointer.rowStride,
      c: m * c[0].pointer.rowStride
    )
    let first = { (c: GuardedMatrix<S>) in
      Gemm(
        alpha: 0.7, a: a.readOnly.block(0, 0, rows: m, columns: k),
        b: b.readOnly.block(0, 0, rows: k, columns: n), beta: -1,
        c: c.pointer.block(0, 0, rows: m, columns: n),
        epilogue: Epilogue(bias: .row(bias.vector.readOnly), activation: .relu))
    }
    let text =
      "FISHER_SEED=\(seed) \(backend.name) \(S.self) batch of \(count) \(m)×\(n)×\(k) "
      + "\(layouts) shared \(shares)"
    for buffer in [a.buffer, b.buffer, c[0].buffer] { buffer.label = text }
    backend.gemm(first: first(c[0]), count: count, batchStrides: strides, threads: generator.pick(1...3))
    for index in 0..<count {
      var call = first(c[1])
      call.a.base += index * strides.a
      call.b.base += index * strides.b
      call.c.base += index * strides.c
      let oracle = Oracle(call.a, call.b)
      backend.gemm(call, threads: 1)
      for i in 0..<m {
        for j in 0..<n {
          let row = index * m + i
          let ratio = oracle.errorRatio(
            of: c[0].pointer[row, j], i, j, alpha: 0.7, beta: -1, old: old.pointer[row, j],
            epilogue: (bias.pointer[j, 0], .relu))
          found.expect(ratio <= 1, "\(text): product \(index), C[\(i), \(j)] errs by \(ratio) bounds")
        }
      }
    }
    let sameBits = c[0].elementBits() == c[1].elementBits()
    found.expect(!comparesBits || sameBits, "\(text): differs from single calls")
    found.expect(c[0].firstDamage() == nil, "\(text): writes into the gaps of C")
  }

  @Test(arguments: Subject.all)
  static func batches(_ subject: Subject) { Batches(comparesBits: subject.target.keepsBits).expect(subject) }
}
