import FisherLinearAlgebra
import FisherRuntime
import FisherTestSupport
import Testing

/// Kept interleaved, everything has the bits that it has in arrays, and the elements lie alike on every machine.
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
    expectZerosBehind(batch, place, at: location)
  }

  private func expectZerosBehind(
    _ batch: InterleavedBatch<Float>, _ place: String, at location: SourceLocation = #_sourceLocation
  ) {
    let (width, line) = (InterleavedBatch<Float>.width, batch.elements.rows - 1)
    for e in 0..<batch.elements.columns where line * width + e % width >= batch.count {
      #expect(batch.elements[line, e] == 0, "\(place): behind the last matrix", sourceLocation: location)
    }
  }

  @Test(arguments: InstructionSet.supported)
  func inverses(_ instructionSet: InstructionSet) {
    let backend = NativeBackend(instructionSet: instructionSet)
    let damping = Damping<Float>.relative(0.125)
    for n in [1, 3, 4, 9, 17] {
      let matrices = stack(n)
      var inverses = matrices
      let expected = inverses.invertPositiveDefinite(damping: damping, on: backend)
      #expect(expected.failures.map(\.matrix) == [20])
      for storage in [InterleavedBatch<Float>.Storage.full, .symmetric] {
        let before = InterleavedBatch(matrices, storage: storage, on: backend)
        expectEqual(before, storage == .full ? matrices : mirrored(matrices), "n \(n) \(storage)")
        for i in 0..<Self.count { #expect(before.stack(on: backend)[i] == before[i]) }
        for threads in [1, 2, 3] {
          var batch = before
          #expect(batch.invertPositiveDefinite(damping: damping, on: backend, threads: threads) == expected)
          expectEqual(batch, inverses, "n \(n) \(storage)")
          // Beside its sources: a failed one leaves what was in its place.
          var beside = InterleavedBatch<Float>(count: Self.count, order: n, storage: storage)
          let identity = beside[20]
          #expect(
            beside.assignInverses(of: before, damping: damping, on: backend, threads: threads) == expected)
          for i in 0..<Self.count { #expect(beside[i] == (i == 20 ? identity : inverses[i])) }
        }
        var batch = before
        batch[0] = inverses[1]
        #expect(batch[0] == inverses[1] && batch[1] == before[1])
      }
      var general = matrices
      var batch = InterleavedBatch(matrices, on: backend)
      #expect(batch.invert(on: backend) == general.invert(on: backend))
      expectEqual(batch, general, "n \(n) general")
    }
  }

  private func mirrored(_ stack: MatrixStack<Float>) -> MatrixStack<Float> {
    var result = stack
    for i in 0..<stack.count {
      let a = stack[i]
      result[i] = Matrix(rows: a.rows, columns: a.rows) { a[max($0, $1), min($0, $1)] }
    }
    return result
  }

  @Test(arguments: InstructionSet.supported)
  func factorsAndSolutions(_ instructionSet: InstructionSet) throws {
    let backend = NativeBackend(instructionSet: instructionSet)
    var generator = Generator(seed: Seed.first)
    for (n, m) in [(1, 1), (4, 3), (9, 4), (17, 1)] {
      let matrices = stack(n)
      let sides = MatrixStack(
        splitting: Matrix<Float>(rows: Self.count * n, columns: m) { _, _ in generator.uniform() },
        count: Self.count)
      let arrays = BatchedCholesky(matrices, damping: .absolute(0.25), on: backend)
      let solutions = arrays.solving(sides, on: backend)
      #expect(arrays.outcome.failures.map(\.matrix) == [20] && arrays.logDeterminants[20].isNaN)
      #expect(arrays[20] == Matrix(identity: n) && solutions[20] == sides[20])
      for i in 0..<Self.count where i != 20 {
        let one = try Cholesky(matrices[i], damping: .absolute(0.25), on: ReferenceBackend())
        #expect((arrays.logDeterminants[i] - one.logDeterminant).magnitude <= 1e-4)
        let l = arrays[i]
        let residual = (0..<n * n).map { e in
          let (r, c) = (max(e / n, e % n), min(e / n, e % n))
          let sum = (0..<n).reduce(0.0) { $0 + Double(l[r, $1]) * Double(l[c, $1]) }
          return (sum - Double(matrices[i][r, c]) - (r == c ? 0.25 : 0)).magnitude
        }
        #expect(residual.max()! <= Double(n + 2) * 0x1p-24 * Double(2 * n))
      }
      for storage in [InterleavedBatch<Float>.Storage.full, .symmetric] {
        var factors = BatchedCholesky(InterleavedBatch(matrices, storage: storage), on: backend)
        #expect(
          factors.refactorize(
            InterleavedBatch(matrices, storage: storage), damping: .absolute(0.25), on: backend)
            == arrays.outcome)
        var lanes = InterleavedBatch(sides)
        factors.solve(&lanes, on: backend)
        for i in 0..<Self.count where i != 20 {
          #expect(factors[i] == arrays[i] && factors.logDeterminants[i] == arrays.logDeterminants[i])
          #expect(lanes[i] == solutions[i])
        }
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
    let outcomes = InterleavedBatch.assignInverses(
      to: &batches, of: sources, damping: .absolute(1), threads: threads)
    for i in sources.indices {
      #expect(expected[i].assignInverses(of: sources[i], damping: .absolute(1), threads: 1) == outcomes[i])
      expectEqual(batches[i], expected[i].stack(), "order \(sources[i].order)")
    }
  }

  /// Outer products and products by their definitions: every sum has at most n + 2 roundings.
  @Test(
    arguments: InstructionSet.supported.map { NativeBackend(instructionSet: $0) as any Backend } + [
      ReferenceBackend()
    ])
  func products(_ backend: any Backend) {
    var generator = Generator(seed: Seed.first)
    for n in [1, 2, 3, 4, 9, 25, 33] {
      let (count, samples) = (21, 3)
      let x = Matrix<Float>(rows: samples * count, columns: n) { _, _ in generator.uniform() }
      let identities = InterleavedBatch<Float>(count: count, order: n, storage: .symmetric)
      var batch = identities
      batch.addOuterProducts(
        ofSamples: MatrixStack(splitting: x, count: samples), alpha: 0.3, beta: 0.5, on: backend, threads: 2)
      // Beside what they are added to, in memory of undefined content.
      let (rows, columns) = InterleavedBatch<Float>.shape(count: count, order: n)
      var beside = InterleavedBatch(
        overwriting: Matrix<Float>(repeating: .nan, rows: rows, columns: columns), count: count, order: n)
      beside.addOuterProducts(
        ofSamples: MatrixStack(splitting: x, count: samples), alpha: 0.3, beta: 0.5, to: identities,
        on: backend, threads: 1)
      #expect(beside.elements == batch.elements)
      expectZerosBehind(batch, "n \(n)")
      let y = Matrix<Float>(rows: count, columns: n) { _, _ in generator.uniform() }
      var products = Matrix<Float>(repeating: .nan, rows: count, columns: n)
      batch.multiply(y, into: &products, on: backend, threads: 2)
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
      poisoned.addOuterProducts(of: y, alpha: 1, beta: 0, on: backend, threads: 3)
      batch.addOuterProducts(of: y, alpha: 1, beta: 0, on: backend, threads: 1)
      for i in 0..<count { #expect(poisoned[i] == batch[i]) }
    }
  }

  /// What one machine has saved, another reads: the places, and with fused multiply-adds the bits, are the same.
  @Test func elementsAreTheSameForAllInstructionSets() {
    let vectors = Matrix<Float>(rows: Self.count, columns: 5) { i, j in Float((7 * i + 3 * j) % 11) / 8 }
    func elements(_ instructionSet: InstructionSet) -> [Float] {
      let backend = NativeBackend(instructionSet: instructionSet)
      var batch = InterleavedBatch<Float>(count: Self.count, order: 5, storage: .symmetric)
      batch.addOuterProducts(of: vectors, alpha: 0.1, beta: 0.9, on: backend)
      batch.invertPositiveDefinite(damping: .absolute(0.25), on: backend)
      return batch.elements.array
    }
    let all = InstructionSet.supported.filter { $0 != .portable }.map(elements)
    #expect(Set(all).count <= 1)
    let (rows, columns) = InterleavedBatch<Float>.shape(count: Self.count, order: 5)
    let batch = InterleavedBatch(
      elements: Matrix(rows: rows, columns: columns) { Float(1000 * $0 + $1) }, count: 16 * rows, order: 5)
    // Element (2, 1) is the fifth of a triangle.
    #expect(batch[17][2, 1] == 1000 + 4 * 16 + 1 && batch[17][1, 2] == batch[17][2, 1])
  }
}
