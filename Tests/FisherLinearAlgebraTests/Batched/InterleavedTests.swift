import FisherLinearAlgebra
import FisherRuntime
import FisherTestSupport
import Testing

/// Kept interleaved, everything has the bits that it has in arrays.
struct InterleavedTests {
  static let count = 37

  private func stack(_ n: Int) -> MatrixStack<Float> {
    var generator = Generator(seed: Seed.first)
    var stack = MatrixStack<Float>(count: Self.count, rows: n, columns: n)
    for i in 0..<Self.count {
      stack[i] = DefiniteKind.random.matrix(n, Float.self, &generator)
    }
    stack[20][n - 1, n - 1] = -1
    return stack
  }

  private func expectEqual(
    _ batch: InterleavedBatch<Float>, _ stack: MatrixStack<Float>, _ place: String,
    at location: SourceLocation = #_sourceLocation
  ) {
    for i in 0..<stack.count {
      #expect(batch[i] == stack[i], "\(place), matrix \(i), seed \(Seed.first)", sourceLocation: location)
    }
  }

  @Test(arguments: InstructionSet.supported)
  func inverses(_ instructionSet: InstructionSet) {
    let backend = NativeBackend(instructionSet: instructionSet)
    for n in [1, 3, 4, 9, 17] {
      let matrices = stack(n)
      var inverses = matrices
      let expected = inverses.invertPositiveDefinite(damping: .relative(0.125), on: backend)
      #expect(expected.failures.map(\.matrix) == [20])
      for storage in [InterleavedBatch<Float>.Storage.full, .symmetric] {
        let before = InterleavedBatch(matrices, storage: storage, instructionSet: instructionSet)
        expectEqual(before, matrices, "n \(n) \(storage)")
        for threads in [1, 2, 3] {
          var batch = before
          #expect(batch.invertPositiveDefinite(damping: .relative(0.125), threads: threads) == expected)
          expectEqual(batch, inverses, "n \(n) \(storage)")
          // Beside its sources: a failed one leaves what was in its place.
          var beside = InterleavedBatch<Float>(
            count: Self.count, order: n, storage: storage, instructionSet: instructionSet)
          let identity = beside[20]
          #expect(beside.assignInverses(of: before, damping: .relative(0.125), threads: threads) == expected)
          for i in 0..<Self.count { #expect(beside[i] == (i == 20 ? identity : inverses[i])) }
        }
        var batch = before
        batch[0] = inverses[1]
        #expect(batch[0] == inverses[1] && batch[1] == before[1])
      }
      var general = matrices
      var batch = InterleavedBatch(matrices, instructionSet: instructionSet)
      #expect(batch.invert() == general.invert(on: backend))
      expectEqual(batch, general, "n \(n) general")
    }
  }

  @Test(arguments: InstructionSet.supported)
  func factorsAndSolutions(_ instructionSet: InstructionSet) {
    let backend = NativeBackend(instructionSet: instructionSet)
    var generator = Generator(seed: Seed.first)
    for (n, m) in [(1, 1), (4, 3), (9, 4), (17, 1)] {
      let matrices = stack(n)
      var expected = matrices
      let outcome = expected.factorCholesky(damping: .absolute(0.25), on: backend)
      let logDeterminants = matrices.logDeterminants(damping: .absolute(0.25), on: backend)
      let sides = Matrix<Float>(rows: Self.count * n, columns: m) { _, _ in generator.uniform() }
      for storage in [InterleavedBatch<Float>.Storage.full, .symmetric] {
        let batch = InterleavedBatch(matrices, storage: storage, instructionSet: instructionSet)
        var factors = BatchedCholesky<Float>(count: Self.count, order: n, instructionSet: instructionSet)
        #expect(factors.factor(batch, damping: .absolute(0.25)) == outcome)
        for i in 0..<Self.count where i != 20 {
          #expect(factors[i] == expected[i] && factors.logDeterminants[i] == logDeterminants[i])
        }
        #expect(factors[20] == Matrix(rows: n, columns: n) { $0 == $1 ? 1 : 0 })
        #expect(factors.logDeterminants[20].isNaN && logDeterminants[20].isNaN)
        var right = MatrixStack(splitting: sides, count: Self.count)
        var lanes = InterleavedBatch(right, instructionSet: instructionSet)
        var solved = right
        expected[20] = factors[20]
        expected.solveCholesky(&solved, on: backend)
        factors.solve(&right)
        factors.solve(&lanes)
        for i in 0..<Self.count { #expect(right[i] == solved[i]) }
        expectEqual(lanes, solved, "n \(n) m \(m)")
      }
    }
  }

  @Test(arguments: [1, 2, 3, 7])
  func batchesOfDifferentOrders(_ threads: Int) {
    let sources = [9, 1, 17].map { InterleavedBatch(stack($0), storage: .symmetric) }
    var batches = sources.map {
      InterleavedBatch<Float>(count: $0.count, order: $0.order, storage: .symmetric)
    }
    var expected = batches
    let outcomes = assignInverses(to: &batches, of: sources, damping: .absolute(1), threads: threads)
    for i in sources.indices {
      #expect(expected[i].assignInverses(of: sources[i], damping: .absolute(1), threads: 1) == outcomes[i])
      expectEqual(batches[i], expected[i].stack(), "order \(sources[i].order)")
    }
  }

  /// Outer products and products by their definitions: every sum has at most n + 2 roundings.
  @Test(arguments: InstructionSet.supported)
  func products(_ instructionSet: InstructionSet) {
    var generator = Generator(seed: Seed.first)
    for n in [1, 2, 3, 4, 9, 25, 33] {
      let (count, samples) = (21, 3)
      let x = Matrix<Float>(rows: samples * count, columns: n) { _, _ in generator.uniform() }
      var batch = InterleavedBatch<Float>(
        count: count, order: n, storage: .symmetric, instructionSet: instructionSet)
      batch.addOuterProducts(
        ofSamples: MatrixStack(splitting: x, count: samples), alpha: 0.3, beta: 0.5, threads: 2)
      let y = Matrix<Float>(rows: count, columns: n) { _, _ in generator.uniform() }
      var products = Matrix<Float>(repeating: .nan, rows: count, columns: n)
      batch.multiply(y, into: &products, threads: 2)
      for i in 0..<count {
        let a = batch[i]
        for r in 0..<n {
          for c in 0..<n {
            var sum = r == c ? 0.5 : 0
            for s in 0..<samples {
              sum += Double(Float(0.3)) * Double(x[s * count + i, r]) * Double(x[s * count + i, c])
            }
            #expect((Double(a[r, c]) - sum).magnitude <= 6 * 0x1p-24 * 1.5, "seed \(Seed.first) n \(n)")
          }
          let exact = (0..<n).map { Double(a[r, $0]) * Double(y[i, $0]) }
          let size = exact.reduce(0) { $0 + $1.magnitude }
          let error = (Double(products[i, r]) - exact.reduce(0, +)).magnitude
          #expect(error <= Double(n + 2) * 0x1p-24 * size, "seed \(Seed.first) n \(n)")
        }
      }
      // β = 0 does not read what was there.
      var poisoned = batch
      poisoned[0] = Matrix(repeating: .nan, rows: n, columns: n)
      poisoned.addOuterProducts(of: y, alpha: 1, beta: 0, threads: 3)
      batch.addOuterProducts(of: y, alpha: 1, beta: 0, threads: 1)
      for i in 0..<count { #expect(poisoned[i] == batch[i]) }
    }
  }
}
