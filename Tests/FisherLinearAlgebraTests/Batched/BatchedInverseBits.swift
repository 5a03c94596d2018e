import FisherLinearAlgebra
import FisherTestSupport
import Testing

/// The bits of an inverse depend on its matrix alone: not on the batch, its place in it, the threads, the strides.
/// Nothing outside the matrices is touched.
struct BatchedInverseBits: Clause {
  func violations<S: KernelScalar>(of backend: any Backend, _: S.Type) -> Violations {
    var found = Violations()
    for (n, seed) in zip(Array(1...20) + [25, 32, 33, 40, 64, 65], Seed.cases(26)) where !found.isFull {
      let count = 37
      let together = BatchedInverseCase<S>(seed: seed, n, count: count)
      let expected = together.run(backend)
      let place = "\(backend.name) \(S.self) n \(n), seed \(seed)"
      for i in stride(from: 0, to: count, by: 5) {
        let alone = BatchedInverseCase<S>(n, [together.matrices[i]]).run(backend)
        found.expect(alone.bits(0, n) == expected.bits(i, n), "\(place): matrix \(i) alone has other bits")
        found.expect(
          alone.logDeterminants[0].bits == expected.logDeterminants[i].bits, "\(place): log det \(i) alone")
      }
      for threads in [2, 3, 7] {
        var test = together
        test.threads = threads
        found.expect(
          test.run(backend).inverses.elementBits() == expected.inverses.elementBits(),
          "\(place): other bits with \(threads) threads")
      }
      for (k, layout) in Layout.outputs.enumerated() {
        var test = together
        test.layout = layout
        test.outputLayout = Layout.outputs[(3 * k + n) % Layout.outputs.count]
        test.flush = Flush.allCases[(k + n) % 2]
        let result = test.run(backend)
        found.expect(
          result.inverses.elementBits() == expected.inverses.elementBits(),
          "\(place): other bits from \(layout) to \(test.outputLayout)")
        found.expect(
          result.inverses.firstDamage() == nil, "\(place): writes into the gaps of \(test.outputLayout)")
      }
    }
    return found
  }

  @Test(arguments: Subject.keepingBits)
  static func bits(_ subject: Subject) { expect(subject) }

  @Test(arguments: ScalarKind.allCases)
  static func sameBitsForAllInstructionSetsWithFMA(_ kind: ScalarKind) {
    let backends = backendsUnderTest().filter(\.usesFMA).map(\.backend)
    let bits = backends.map { backend in
      (1...20).map { n in
        kind == .float
          ? BatchedInverseCase<Float>(seed: Seed.first, n, count: 5).run(backend).inverses.elementBits()
          : BatchedInverseCase<Double>(seed: Seed.first, n, count: 5).run(backend).inverses.elementBits()
      }
    }
    #expect(Set(bits).count <= 1, "seed \(Seed.first)")
  }
}

/// The public operation on stacks.
struct StackInverseTests {
  @Test func invertsInPlaceAndReportsFailures() {
    var stack = MatrixStack<Double>(count: 3, rows: 2, columns: 2)
    stack[0] = Matrix([[4, 0], [2, 2]])
    stack[1] = Matrix([[1, 0], [3, 1]])
    stack[2] = Matrix([[2, 0], [0, 8]])
    let outcome = stack.invertPositiveDefinite()
    #expect(outcome.failures.map { [$0.matrix, $0.pivot] } == [[1, 1]])
    #expect(stack[0] == Matrix([[0.5, -0.5], [-0.5, 1]]))
    #expect(stack[1] == Matrix([[1, 0], [3, 1]]))
    #expect(stack[2] == Matrix([[0.5, 0], [0, 0.125]]))
  }

  @Test func readsTheTriangleThatIsNamed() {
    var stack = MatrixStack<Float>(count: 1, rows: 2, columns: 2)
    stack[0] = Matrix([[4, 2], [.nan, 2]])
    #expect(stack.invertPositiveDefinite(reading: .upper).isComplete)
    #expect(stack[0] == Matrix([[0.5, -0.5], [-0.5, 1]]))
  }

  @Test func emptyStacks() {
    var none = MatrixStack<Float>(count: 0, rows: 3, columns: 3)
    #expect(none.invertPositiveDefinite().isComplete)
    var empty = MatrixStack<Float>(count: 2, rows: 0, columns: 0)
    #expect(empty.invertPositiveDefinite().isComplete)
  }

  @Test(arguments: InstructionSet.supported)
  func interleavedBatchesAreBitForBitTheSame(_ instructionSet: InstructionSet) {
    for n in [1, 3, 4, 9, 17] {
      var generator = Generator(seed: Seed.first)
      var stack = MatrixStack<Float>(count: 37, rows: n, columns: n)
      for i in 0..<37 {
        let elements = DefiniteKind.random.matrix(n, Float.self, &generator)
        stack[i] = Matrix(rows: n, columns: n) { r, c in elements[r][c] }
      }
      stack[20][n - 1, n - 1] = -1
      var batch = InterleavedBatch(stack, instructionSet: instructionSet)
      let before = batch
      let expected = stack.invertPositiveDefinite(
        damping: .relative(0.125), on: NativeBackend(instructionSet: instructionSet))
      #expect(expected.failures.map(\.matrix) == [20])
      for threads in [1, 2, 3] {
        var batch = before
        #expect(batch.invertPositiveDefinite(damping: .relative(0.125), threads: threads) == expected)
        for i in 0..<37 { #expect(batch[i] == stack[i], "n \(n), matrix \(i), seed \(Seed.first)") }
      }
      batch[0] = stack[1]
      #expect(batch[0] == stack[1] && batch[1] == before[1])
    }
  }
}
