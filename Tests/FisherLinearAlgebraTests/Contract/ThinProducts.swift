import FisherLinearAlgebra
import FisherRuntime
import FisherTestSupport
import KernelTemplates
import Testing

/// Few rows, and a B whose rows lie so far apart that no near cache holds it: some steps of k at a time, between which the
/// sums stop unrounded. Every number of rows around the limit and the tiles' heights, whole blocks of k and parts of
/// them, whole vectors and rests, all layouts of A and C.
struct ThinProducts: SharedClause {
  static let depths = [23, 24, 25, 48, 49, 130, 511, 512, 513, 700]

  func violations<S: KernelScalar>(of backends: [any Backend], _: S.Type) -> Violations {
    var found = Violations()
    for seed in Seed.cases(40) where !found.isFull {
      var generator = Generator(seed: seed ^ 0x7415)
      // One case in eight has more columns of sums than their share of the second-level cache holds.
      let isWide = seed % 8 == 0
      let depth = isWide ? 25 : generator.pick(Self.depths)
      var test = GemmCase<S>(
        seed: seed, isWide ? 16 : generator.pick(1...18),
        isWide
          ? CacheModel.machine.shareOfSecond / (16 * MemoryLayout<S>.size) + 50 : generator.pick(120...300),
        depth)
      if seed % 3 != 0 { test = test.withEpilogue() }
      test.layouts.b = Self.farApart(depth, S.self)
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

  @Test(arguments: ScalarKind.allCases)
  static func thinProducts(_ kind: ScalarKind) { expect(kind) }
}

/// A row of a thin product has the bits that it has in one of too many rows to be computed like that.
struct ThinRows: Clause {
  func violations<S: KernelScalar>(of backend: any Backend, _: S.Type) -> Violations {
    var found = Violations()
    let tall = 40
    for (depth, seed) in zip(ThinProducts.depths, Seed.cases(ThinProducts.depths.count)) where !found.isFull {
      var generator = Generator(seed: seed)
      let n = generator.pick(120...300)
      let a = GuardedMatrix<S>(tall, depth).filled(.uniform, &generator)
      let b = GuardedMatrix<S>(depth, n, ThinProducts.farApart(depth, S.self)).filled(.uniform, &generator)
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
      for m in 1...18 {
        found.expect(
          rows(m).elementsEqual(all.prefix(m * n)),
          "FISHER_SEED=\(seed) \(backend.name) \(S.self): bits of \(m) rows, \(n)×\(depth), α \(alpha), β \(beta)"
        )
      }
    }
    return found
  }

  @Test(arguments: Subject.keepingBits)
  static func thinRows(_ subject: Subject) { expect(subject) }
}
