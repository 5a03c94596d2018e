import FisherLinearAlgebra
import FisherRuntime
import FisherTestSupport
import KernelTemplates
import Testing

/// Few rows, and a B whose rows lie so far apart that no near cache holds it, some steps of k at a time, between which the
/// sums stop unrounded; or the transpose of B, with Cᵀ formed in the place of C. Numbers of rows around the limits and the
/// tiles' heights, whole blocks of k and parts of them, whole vectors and rests, all layouts of A and C.
struct ThinProducts: SharedClause {
  static let depths = [23, 24, 25, 48, 49, 65, 96, 97, 128, 129, 511, 512, 513, 700]

  func violations<S: KernelScalar>(of backends: [any Backend], _: S.Type) -> Violations {
    var found = Violations()
    for seed in Seed.cases(48) where !found.isFull {
      var generator = Generator(seed: seed ^ 0x7415)
      // One case in eight has more columns of sums than their share of the second-level cache holds.
      let (isTransposed, isWide) = (seed % 2 == 0, seed / 2 % 8 == 0)
      let depth = isWide ? (isTransposed ? 65 : 25) : generator.pick(Self.depths)
      let most = CacheModel.machine.shareOfSecond / (16 * MemoryLayout<S>.size)
      var test = GemmCase<S>(
        seed: seed, isWide ? 16 : generator.pick(1...(isTransposed ? 34 : 44)),
        isWide ? most + 50 : generator.pick(120...300), depth)
      if seed % 3 != 0 { test = test.withEpilogue() }
      test.layouts.b = isTransposed ? generator.pick(Self.transposed) : Self.farApart(depth, S.self)
      test.threads = generator.pick([1, 1, 2])
      if test.alpha == 0 { test.alpha = 1 }
      if isWide { (test.layouts.c, test.bias, test.threads) = (.rowMajor, .row, 1) }
      found += test.violations(of: backends)
    }
    return found
  }

  /// Rows that together span more than the second-level cache.
  static func farApart<S: KernelScalar>(_ depth: Int, _: S.Type) -> Layout {
    Layout(.rowMajor, padding: CacheModel.machine.second / (depth * MemoryLayout<S>.size) + 1)
  }

  static let transposed: [Layout] = [.columnMajor, Layout(.columnMajor, padding: 3)]

  @Test(arguments: ScalarKind.allCases)
  static func thinProducts(_ kind: ScalarKind) { expect(kind) }
}

/// Few rows, about as few columns and the transpose of B: where C and Cᵀ are equally thin, one of them has to be formed.
struct TurnedSquares: SharedClause {
  func violations<S: KernelScalar>(of backends: [any Backend], _: S.Type) -> Violations {
    var found = Violations()
    let shapes = [7, 8, 9, 14, 16, 17, 32].flatMap { m in [12, 16, 17, 24, 28, 32, 56, 57].map { (m, $0) } }
    for ((m, n), seed) in zip(shapes, Seed.cases(shapes.count)) where !found.isFull {
      var test = GemmCase<S>(seed: seed, m, n, 300)
      (test.layouts.a, test.layouts.b, test.layouts.c) = (.rowMajor, .columnMajor, .rowMajor)
      found += test.violations(of: backends)
    }
    return found
  }

  @Test(arguments: ScalarKind.allCases)
  static func turnedSquares(_ kind: ScalarKind) { expect(kind) }
}

/// A·x and Aᵀ·x, as one row or one column of C: all numbers of rows around two vectors of any unit, steps around squares and
/// blocks, strides of x and y, other factors.
struct MatrixVectorProducts: SharedClause {
  func violations<S: KernelScalar>(of backends: [any Backend], _: S.Type) -> Violations {
    var found = Violations()
    let depths = Array(1...40) + [63, 64, 65, 127, 255, 256, 257, 511, 512, 513, 1030]
    for seed in Seed.cases(160) where !found.isFull {
      var generator = Generator(seed: seed ^ 0x9e3)
      let (n, k, isRow) = (generator.pick(1...80), generator.pick(depths), seed % 2 == 0)
      var test = GemmCase<S>(seed: seed, isRow ? 1 : n, isRow ? n : 1, k)
      if seed % 5 == 0 { test = test.withEpilogue() }
      let far = [
        Layout(.rowMajor), Layout(.rowMajor, padding: 3), Layout(.columnMajor),
        Layout(.columnMajor, padding: 5),
      ]
      (test.layouts.a, test.layouts.b, test.layouts.c) = (
        generator.pick(far), generator.pick(far), generator.pick(far)
      )
      found += test.violations(of: backends)
    }
    return found
  }

  @Test(arguments: ScalarKind.allCases)
  static func matrixVectorProducts(_ kind: ScalarKind) { expect(kind) }
}

/// A row of a thin product has the bits that it has in one of too many rows to be computed like that.
struct ThinRows: Clause {
  func violations<S: KernelScalar>(of backend: any Backend, _: S.Type) -> Violations {
    var found = Violations()
    for (depth, seed) in zip(ThinProducts.depths, Seed.cases(ThinProducts.depths.count)) {
      for layout in [ThinProducts.farApart(depth, S.self)] + ThinProducts.transposed where !found.isFull {
        found += violations(of: backend, S.self, depth, layout, seed)
      }
    }
    return found
  }

  private func violations<S: KernelScalar>(
    of backend: any Backend, _: S.Type, _ depth: Int, _ layout: Layout, _ seed: UInt64
  ) -> Violations {
    var (found, generator) = (Violations(), Generator(seed: seed))
    let (tall, n) = (60, generator.pick(120...300))
    let a = GuardedMatrix<S>(tall, depth).filled(.uniform, &generator)
    let b = GuardedMatrix<S>(depth, n, layout).filled(.uniform, &generator)
    let (alpha, beta): (S, S) = generator.pick([(1, 0), (0.7, 0), (1, 1), (-1, 0.7)])
    func rows(_ count: Int) -> [UInt64] {
      let c = GuardedMatrix<S>(count, n).filled { i, j in S(i - j) / 8 }
      backend.gemm(
        Gemm(
          alpha: alpha, a: a.readOnly.block(0, 0, rows: count, columns: depth), b: b.readOnly, beta: beta,
          c: c.pointer), threads: 1)
      return c.elementBits()
    }
    let all = rows(tall)
    for m in [1, 2, 3, 4, 5, 6, 7, 8, 9, 12, 14, 15, 16, 17, 18, 19, 24, 28, 29, 32, 33, 41, 42, 43] {
      found.expect(
        rows(m).elementsEqual(all.prefix(m * n)),
        "FISHER_SEED=\(seed) \(backend.name) \(S.self): bits of \(m) rows, \(n)×\(depth), B \(layout), "
          + "α \(alpha), β \(beta)")
    }
    return found
  }

  @Test(arguments: Subject.keepingBits)
  static func thinRows(_ subject: Subject) { expect(subject) }
}
