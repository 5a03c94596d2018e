import FisherLinearAlgebra
import FisherTestSupport
import Testing

/// Products in which the first rows' tiles pack B: too many rows to read it where it lies, too many columns or steps for the
/// caches, and rows of B that are contiguous. Whole panels, rests of one to three vectors, one and several parts of the rows,
/// all scalars, with and without an epilogue.
struct PackedOnTheWay: SharedClause {
  static let shapes = [(57, 600, 130), (61, 613, 130), (99, 520, 140), (130, 333, 250), (200, 300, 300)]

  func violations<S: KernelScalar>(of backends: [any Backend], _: S.Type) -> Violations {
    var found = Violations()
    for (m, n, k) in Self.shapes {
      for seed in Seed.cases(6) where !found.isFull {
        var generator = Generator(seed: seed ^ 0x9AC4ED)
        var test = GemmCase<S>(seed: seed, m, n, k)
        test.layouts.b = generator.pick([.rowMajor, Layout(.rowMajor, padding: 3)])
        test.layouts.c = generator.pick([
          .rowMajor, .rowMajor, Layout(.rowMajor, padding: 2), Layout(.rowMajor, inner: 2),
        ])
        test.threads = 1
        if test.alpha == 0 { test.alpha = 1 }
        found += (seed % 2 == 0 ? test : test.withEpilogue()).violations(of: backends)
      }
    }
    return found
  }

  @Test(arguments: ScalarKind.allCases)
  static func packedOnTheWay(_ kind: ScalarKind) { expect(kind) }
}
