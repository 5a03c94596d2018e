import FisherLinearAlgebra
import FisherRuntime
import FisherTestSupport
import KernelTemplates

/// The bits that operations of several steps make of fixed numbers. Between guard pages scratch is fresh memory, elsewhere
/// it holds what the last call left: the same bits tell that nothing is read that was not written before.
struct ScratchResults<S: KernelScalar> {
  let instructionSet: InstructionSet

  private var backend: NativeBackend { NativeBackend(instructionSet: instructionSet) }

  /// Explicit inverses, Cholesky factors and divisions in a basis, below and above a panel of rows.
  func kronecker() -> [[UInt64]] {
    let shapes = [(1, 5), (5, 1), (17, 33), (300, 3), (2, 270), (130, 300)]
    return zip(shapes, Seed.cases(shapes.count)).flatMap { shape, seed in
      let (m, n) = shape
      let (test, triangles) = (
        KroneckerCase<S>(seed: seed, m, n), KroneckerCase<S>(seed: seed, m, n, triangular: true)
      )
      let (g, basis) = (test.gradient, KroneckerBasis(left: test.left, right: test.right))
      let ones = (Matrix<S>(repeating: 1, rows: m, columns: 1), Matrix<S>(repeating: 1, rows: n, columns: 1))
      let spectra = [
        KroneckerSpectrum<S>.outer(left: ones.0, right: ones.1, damping: 0.5), .elements(g, damping: 2),
      ]
      let pairs: [(KroneckerFactor<S>, KroneckerFactor<S>)] = [
        (.explicit(test.left), .explicit(test.right)), (.cholesky(triangles.left), .identity),
        (.explicit(test.left), .cholesky(triangles.right)),
        (.cholesky(triangles.left), .cholesky(triangles.right)),
      ]
      var results: [Matrix<S>] = pairs.map { left, right in
        var result = g
        applyKronecker(left: left, g, right: right, into: &result, on: backend, threads: 2)
        return result
      }
      for spectrum in spectra {
        var (coordinates, direction) = (g, g)
        basis.rotate(g, dividingBy: spectrum, into: &coordinates, on: backend, threads: 2)
        basis.divide(g, by: spectrum, into: &direction, on: backend, threads: 2)
        results += [coordinates, direction]
      }
      return results.map(bits)
    }
  }

  /// Inverse roots by both methods.
  func roots() -> [[UInt64]] {
    zip([1, 2, 9, 33, 70], Seed.cases(5)).flatMap { n, seed in
      var generator = Generator(seed: seed)
      let a = DefiniteKind.random.matrix(n, S.self, &generator)
      return [1, 2, 4].flatMap { p in
        [InverseRootMethod<S>.eigen(), .coupledNewton()].map { method -> [UInt64] in
          guard
            let root = try? InverseRoot(
              a, p: p, damping: .relative(0.125), by: method, on: backend, threads: 2)
          else { return [] }
          return bits(root.matrix) + [root.residual.bits]
        }
      }
    }
  }

  /// Interleaved batches, in full and as triangles.
  func interleaved() -> [[UInt64]] {
    let backend = NativeBackend(instructionSet: instructionSet)
    return zip([1, 3, 9, 17, 33, 65], Seed.cases(6)).flatMap { n, seed in
      var generator = Generator(seed: seed)
      var stack = MatrixStack<S>(count: 19, rows: n, columns: n)
      for i in 0..<19 { stack[i] = DefiniteKind.random.matrix(n, S.self, &generator) }
      let vectors = Matrix<S>(rows: 19, columns: n) { _, _ in generator.uniform() }
      return [InterleavedBatch<S>.Storage.full, .symmetric].flatMap { storage in
        results(InterleavedBatch(stack, storage: storage, on: backend), vectors, backend)
      }
    }
  }

  private func results(
    _ batch: InterleavedBatch<S>, _ vectors: Matrix<S>, _ backend: any Backend
  ) -> [[UInt64]] {
    let n = batch.order
    var (inPlace, beside, other) = (batch, batch, batch)
    inPlace.invertPositiveDefinite(damping: .relative(0.125), on: backend, threads: 2)
    beside.assignInverses(of: batch, damping: .absolute(0.5), on: backend, threads: 2)
    var products = vectors
    if batch.storage == .full {
      other.invert(on: backend, threads: 2)
    } else {
      other.addOuterProducts(of: vectors, alpha: 0.5, beta: 0.25, on: backend, threads: 2)
      other.multiply(vectors, into: &products, on: backend, threads: 2)
    }
    let factors = BatchedCholesky(batch, damping: .absolute(0.25), on: backend, threads: 2)
    var right = MatrixStack(
      splitting: Matrix<S>(rows: batch.count * n, columns: 5) { i, j in S((i * 7 + j * 5) % 11) - 5 },
      count: batch.count)
    var lanes = InterleavedBatch(right, on: backend)
    factors.solve(&right, on: backend, threads: 2)
    factors.solve(&lanes, on: backend, threads: 2)
    let stacks = [
      inPlace.stack(on: backend), beside.stack(on: backend), other.stack(on: backend), right,
      lanes.stack(on: backend),
    ]
    return stacks.map { stack in (0..<stack.count).flatMap { bits(stack[$0]) } } + [bits(products)]
  }

  private func bits(_ a: Matrix<S>) -> [UInt64] { a.array.map(\.bits) }
}
