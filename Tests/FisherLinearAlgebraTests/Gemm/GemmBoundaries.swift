import FisherLinearAlgebra
import FisherTestSupport
import Testing

/// The sizes at which kernels change their path: tile rows and columns, k blocks, packed panels.
enum Boundaries {
  static let blocks = [4, 6, 8, 12, 14, 16, 24, 28, 32, 48, 64, 96, 128, 168, 192, 256, 384, 512, 768, 1024]
  /// Each of them with its neighbours.
  static let sizes = blocks.flatMap { [$0 - 1, $0, $0 + 1] }
}

/// Random shapes around block boundaries, in every layout, between guard pages, with and without an epilogue.
struct GemmBoundaries: SharedClause {
  func violations<S: KernelScalar>(of backends: [any Backend], _: S.Type) -> Violations {
    var found = Violations()
    for seed in Seed.cases(300) where !found.isFull {
      var generator = Generator(seed: seed ^ 0xB10C)
      var shape = (0..<3).map { _ in generator.pick(Boundaries.sizes) }
      // The oracle takes some nanoseconds a term: shrink random sizes until it fits.
      while shape.reduce(1, *) > 2_000_000 { shape[generator.pick(0..<3)] = generator.pick(1...40) }
      let test = GemmCase<S>(seed: seed, shape[0], shape[1], shape[2])
      found += (seed % 2 == 0 ? test : test.withEpilogue()).violations(of: backends)
    }
    return found
  }

  @Test(arguments: ScalarKind.allCases)
  static func gemmBoundaries(_ kind: ScalarKind) { expect(kind) }
}

/// Every size 1…40 and every boundary once in each of m, n and k, against both guard pages of every operand.
struct GemmGuards: SharedClause {
  func violations<S: KernelScalar>(of backends: [any Backend], _: S.Type) -> Violations {
    var found = Violations()
    let sizes = Array(1...40) + Boundaries.sizes.filter { $0 > 40 }
    for (size, seed) in zip(sizes, Seed.cases(sizes.count)) {
      for dimension in 0..<3 {
        for flush in Flush.allCases where !found.isFull {
          var generator = Generator(seed: seed &+ UInt64(dimension) << 32)
          var shape = (0..<3).map { _ in generator.pick(1...40) }
          shape[dimension] = size
          var test = GemmCase<S>(seed: seed, shape[0], shape[1], shape[2])
          test.flush = (flush, flush, flush)
          if test.alpha == 0 { test.alpha = 1 }
          found += test.violations(of: backends)
        }
      }
    }
    return found
  }

  @Test(arguments: ScalarKind.allCases)
  static func gemmGuards(_ kind: ScalarKind) { expect(kind) }
}

/// A few columns beyond whole vectors, which stand side by side in one with other rows, and the rows of one such tile.
struct GemmRests: SharedClause {
  static let rows = Array(1...12) + [31, 32, 33, 34, 35, 36, 37, 63, 64, 65, 66]

  func violations<S: KernelScalar>(of backends: [any Backend], _: S.Type) -> Violations {
    var found = Violations()
    for seed in Seed.cases(400) where !found.isFull {
      var generator = Generator(seed: seed ^ 0x2E57)
      let lanes = generator.pick([4, 8, 16])
      let columns = generator.pick(2...5) * lanes + generator.pick(1...4)
      let depth = generator.pick([generator.pick(1...9), generator.pick(10...70)])
      var test = GemmCase<S>(seed: seed, generator.pick(Self.rows), columns, depth)
      test.layouts.a = generator.pick(
        [.rowMajor, .columnMajor, Layout(.rowMajor, padding: 3), Layout(.rowMajor, inner: 2)])
      test.layouts.b = generator.pick([.rowMajor, Layout(.rowMajor, padding: 1)])
      test.layouts.c = generator.pick([.rowMajor, Layout(.rowMajor, padding: 2)])
      if test.alpha == 0 { test.alpha = 1 }
      found += (seed % 3 == 0 ? test.withEpilogue() : test).violations(of: backends)
    }
    return found
  }

  @Test(arguments: ScalarKind.allCases)
  static func gemmRests(_ kind: ScalarKind) { expect(kind) }
}
