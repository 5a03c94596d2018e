import FisherLinearAlgebra
import FisherTestSupport
import KernelTemplates
import Testing

/// Small integers times powers of two: no sum rounds, so every backend equals the reference exactly.
struct ExactProducts: SharedClause {
  func violations<S: KernelScalar>(of backends: [any Backend], _: S.Type) -> Violations {
    var found = Violations()
    for seed in Seed.cases(400) where !found.isFull {
      var generator = Generator(seed: seed ^ 0xE8AC7)
      var shape = (0..<3).map { _ in generator.pick(Array(0...70) + Boundaries.sizes.filter { $0 > 70 }) }
      while shape.reduce(1, *) > 2_000_000 { shape[generator.pick(0..<3)] = generator.pick(1...40) }
      var test = GemmCase<S>(seed: seed, shape[0], shape[1], shape[2])
      test.content = .integers
      let layouts = Layout.inputs.filter { !$0.repeatsRows }
      test.layouts.a = generator.pick(layouts)
      test.layouts.b = generator.pick(layouts)
      test.alpha = generator.pick([1, -1, 0.5, 2])
      test.beta = generator.pick([0, 1, -1, 0.5])
      let reference = scaledOperands(test)
      ReferenceBackend().gemm(reference.call, threads: 1)
      let expected = reference.c.elements()
      for backend in backends {
        let got = scaledOperands(test)
        backend.gemm(got.call, threads: test.threads)
        // −0 and +0 are both exact.
        let isSame = got.c.elements() == expected
        found.expect(isSame, "\(backend.name): an exact product rounds; \(test)")
      }
    }
    return found
  }

  /// Row i of A and C times 2^(i mod 9 − 4), column j of B and C times 2^(4 − j mod 7).
  private func scaledOperands<S: KernelScalar>(_ test: GemmCase<S>) -> GemmOperands<S> {
    let operands = GemmOperands(test)
    let (row, column) = ({ (i: Int) in i % 9 - 4 }, { (j: Int) in 4 - j % 7 })
    operands.a.scaled(rows: row, columns: { _ in 0 })
    operands.b.scaled(rows: { _ in 0 }, columns: column)
    operands.c.scaled(rows: row, columns: column)
    return operands
  }

  @Test(arguments: ScalarKind.allCases)
  static func exactProducts(_ kind: ScalarKind) {
    expect(kind, of: backendsUnderTest().filter { !($0.backend is ReferenceBackend) })
  }
}

/// Big integer products, checked with a random vector: C·t = α·A·(B·t) + β·C₀·t holds exactly, and a single wrong
/// element breaks it.
struct BigProducts: Clause {
  static let shapes = [
    (513, 769, 300), (1025, 130, 257), (96, 2049, 260), (33, 17, 20_001), (1, 3000, 700), (2100, 1, 511),
    // Short k: far results written in long rows, B in parts that stay near, the loops turned around.
    (1100, 1030, 3), (1030, 2050, 8), (60, 9000, 33), (700, 1600, 64),
  ]

  func violations<S: KernelScalar>(of backend: any Backend, _: S.Type) -> Violations {
    var found = Violations()
    for (shape, seed) in zip(Self.shapes, Seed.cases(Self.shapes.count)) where !found.isFull {
      var test = GemmCase<S>(seed: seed, shape.0, shape.1, shape.2)
      test.threads = 2
      check(backend, test, &found)
    }
    // One operand packed, or both, whatever the seeds say: one thread, whose part is the whole.
    // The last shape has full blocks and a short one in the end.
    for (m, n, k, a, b) in [
      (300, 600, 260, Layout.columnMajor, Layout.columnMajor), (300, 600, 260, .columnMajor, .rowMajor),
      (300, 600, 260, .rowMajor, .columnMajor), (60, 140, 30_250, .rowMajor, .rowMajor),
    ]
    where !found.isFull {
      var test = GemmCase<S>(seed: Seed.first, m, n, k)
      test.layouts = (a, b, .rowMajor)
      test.threads = 1
      check(backend, test, &found)
    }
    return found
  }

  private func check<S: KernelScalar>(
    _ backend: any Backend, _ circumstances: GemmCase<S>, _ found: inout Violations
  ) {
    var test = circumstances
    test.content = .integers
    test.alpha = -1
    test.beta = 2
    let operands = GemmOperands(test)
    var generator = Generator(seed: ~test.seed)
    let vector = (0..<test.n).map { _ in Double(Int.random(in: 1...1000, using: &generator)) }
    let product = times(operands.call.a, times(operands.call.b, vector))
    let old = times(operands.call.c.readOnly, vector)
    backend.gemm(operands.call, threads: test.threads)
    let got = times(operands.call.c.readOnly, vector)
    let row = got.indices.first { got[$0] != -product[$0] + 2 * old[$0] }
    if let row { found.add("\(backend.name): an element of row \(row) is wrong; \(test)") }
    found.expect(operands.c.firstDamage() == nil, "\(backend.name): writes into the gaps of C; \(test)")
  }

  @Test(arguments: Subject.all)
  static func bigProducts(_ subject: Subject) { expect(subject) }
}

/// M·t in `Double`.
@specialized(where S == Float)
@specialized(where S == Double)
private func times<S: KernelScalar>(_ matrix: MatrixPointer<S>, _ vector: [Double]) -> [Double] {
  (0..<matrix.rows).map { i in
    var sum = 0.0
    for j in 0..<matrix.columns { sum += Double(matrix[i, j]) * vector[j] }
    return sum
  }
}
