import FisherLinearAlgebra
import FisherRuntime
import FisherTestSupport
import KernelTemplates
import Testing

/// Every routine stays inside its scratch: it lies against a page that cannot be touched, behind it and then before it.
/// The results must be right, so that what is read from scratch is what was written.
///
/// The override holds for the whole process; so these tests run one after the other.
@Suite(.serialized)
struct ScratchGuards {
  @Test(arguments: ScalarKind.allCases)
  func everyRoutineStaysInside(_ kind: ScalarKind) {
    switch kind {
    case .float: run(Float.self)
    case .double: run(Double.self)
    }
  }

  private func run<S: KernelScalar>(_: S.Type) {
    let products = [(5, 7, 9), (15, 33, 20), (301, 67, 519), (131, 523, 300), (600, 37, 1030)].map {
      ExactProduct<S>($0.0, $0.1, $0.2)
    }
    let results = InstructionSet.supported.map { ScratchResults<S>(instructionSet: $0) }
    let expected = results.map { [$0.kronecker(), $0.roots(), $0.interleaved()] }
    for side in [GuardedScratch.Side.front, .rear] {
      let guarded = GuardedScratch(side)
      withExtendedLifetime(guarded) {
        for set in InstructionSet.supported {
          let backend = NativeBackend(instructionSet: set)
          for product in products { product.check(backend) }
          factorizations(S.self, backend)
          stacks(S.self, backend)
        }
        for (result, expected) in zip(results, expected) {
          let place = "\(result.instructionSet) \(S.self)"
          #expect(result.kronecker() == expected[0], "Kronecker products, \(place)")
          #expect(result.roots() == expected[1], "inverse roots, \(place)")
          #expect(result.interleaved() == expected[2], "interleaved batches, \(place)")
        }
      }
    }
  }

  private func factorizations<S: KernelScalar>(_: S.Type, _ backend: NativeBackend) {
    for (n, seed) in zip([1, 5, 17, 33, 70, 200, 300], Seed.cases(7)) {
      let cholesky = CholeskyCase<S>(seed: seed, n)
      _ = backend.potrf(cholesky.call, threads: 2)
      #expect(cholesky.factorRatio < 30, "\(backend.name) potrf \(cholesky)")
      _ = backend.invertPositiveDefinite(cholesky.call, mirror: false, threads: 2)
      #expect(cholesky.inverseRatio < 30, "\(backend.name) inverse \(cholesky)")
      let eigen = EigenCase<S>(seed: seed, n, .random)
      let problem = eigen.problem(backend.symmetricEigen(eigen.call, threads: 2))
      #expect(problem == nil, "\(backend.name) \(eigen.name)")
      let matrix = cholesky.matrix
      let lu = LU(matrix, on: backend, threads: 2)
      #expect(
        (try? lu.inverse(on: backend, threads: 2))?.withPointer { Ratio.inverse(matrix, $0) } ?? .infinity
          < 30,
        "\(backend.name) \(S.self) LU \(n)")
      #expect(lu.reciprocalCondition(on: backend, threads: 2) > 0)
      let qr = QR(matrix, on: backend, threads: 2)
      #expect(Ratio.orthogonality(qr.q(on: backend, threads: 2)) < 30, "\(backend.name) \(S.self) QR \(n)")
      for test in triangular(n, seed, S.self) {
        backend.trsm(test.call, threads: 2)
        backend.trmm(test.call, threads: 2)
        // There and back: condition below 8 for the dominant diagonal.
        let (got, old) = (Ratio.double(test.b.readOnly), Ratio.double(test.old.readOnly))
        let scale = Double(test.alpha) * Double(test.alpha)
        let expected = Matrix<Double>(rows: old.rows, columns: old.columns) { i, j in scale * old[i, j] }
        let error = Ratio.quotient(Ratio.norm(Ratio.difference(got, expected)), n, Ratio.norm(old), S.self)
        #expect(test.alpha == 0 || error < 300, "\(backend.name) \(test)")
      }
    }
  }

  private func triangular<S: KernelScalar>(_ n: Int, _ seed: UInt64, _: S.Type) -> [TriangularCase<S>] {
    Triangle.allCases.flatMap { triangle in
      [
        TriangularCase<S>(seed: seed, m: n, n: 37, .left, triangle),
        TriangularCase<S>(seed: seed, m: 37, n: n, .right, triangle),
      ]
    }
  }

  private func stacks<S: KernelScalar>(_: S.Type, _ backend: NativeBackend) {
    for (n, seed) in zip([1, 3, 9, 17, 33, 65, 129], Seed.cases(7)) {
      for routine in BatchedRoutine.allCases {
        for isInterleaved in routine.isSymmetric ? [false, true] : [false] {
          var test = BatchedCase<S>(seed: seed, routine, n, count: 19)
          let expected = test.run(ReferenceBackend())
          (test.isInterleaved, test.threads) = (isInterleaved, 2)
          let result = test.run(backend)
          #expect(result.outcomes == expected.outcomes, "\(backend.name) \(S.self) \(routine) \(n)")
          if isInterleaved { continue }
          let ratios = test.matrices.indices.map { i in
            routine == .cholesky
              ? Ratio.cholesky(test.matrices[i], result.matrix(i))
              : Ratio.inverse(test.matrices[i], result.matrix(i))
          }
          #expect(ratios.allSatisfy { $0 < 30 }, "\(backend.name) \(S.self) \(routine) \(n)")
        }
      }
      for isInterleaved in [false, true] {
        var solve = SolveCase<S>(seed: seed, n, 5, count: 19)
        (solve.isInterleaved, solve.threads) = (isInterleaved, 2)
        let solutions = solve.run(backend)
        #expect((0..<19).allSatisfy { solve.residualRatio($0, solutions) < 30 }, "\(solve.place(backend))")
      }
    }
  }

  /// In every family, each in a process of its own; with all its scratch it lives.
  @Test(.ownThread, arguments: Starved.allCases)
  private func scratchTooSmallDies(_ routine: Starved) async {
    await #expect(processExitsWith: .failure) { [routine] in routine.run(withholding: 64) }
  }

  @Test(.ownThread) private func enoughScratchLives() async {
    await #expect(processExitsWith: .success) {
      for routine in Starved.allCases { routine.run(withholding: 0) }
    }
  }

  @Test(.ownThread) func oneElementOutsideDies() async {
    await #expect(processExitsWith: .failure) {
      let guarded = GuardedScratch(.rear)
      withExtendedLifetime(guarded) {
        ThreadContext.current.withScratch(64, of: Float.self) { $0[64] = 1 }
      }
    }
    await #expect(processExitsWith: .failure) {
      let guarded = GuardedScratch(.front)
      withExtendedLifetime(guarded) {
        ThreadContext.current.withScratch(64, of: Float.self) { $0[-1] = 1 }
      }
    }
  }
}

/// Routines with scratch of every family; and what becomes of them if the scratch is one vector too small.
private enum Starved: Int, CaseIterable, Codable {
  case inverse, triangular, lu, qr, eigen, stack, kronecker, root, interleaved

  /// Withholds `bytes` from every request.
  func run(withholding bytes: Int) {
    let guarded = GuardedScratch(.rear, withholding: bytes)
    withExtendedLifetime(guarded) { run() }
  }

  private func run() {
    let n = 70
    let a = Matrix<Double>(rows: n, columns: n) { i, j in i == j ? 2 : 1 / Double(n + i + j) }
    var b = a
    switch self {
    case .inverse: _ = try? b.invertPositiveDefinite(threads: 1)
    case .triangular: trsm(a, triangle: .upper, side: .right, into: &b, threads: 1)
    case .lu: _ = LU(a, threads: 1)
    case .qr: _ = QR(a, threads: 1)
    case .eigen: _ = try? SymmetricEigen(a, threads: 1)
    case .stack:
      var stack = MatrixStack(splitting: a, count: 1)
      stack.invertPositiveDefinite(threads: 1)
    case .kronecker: applyKronecker(left: .explicit(a), a, right: .explicit(a), into: &b, threads: 1)
    case .root: _ = try? InverseRoot(a, p: 4, threads: 1)
    case .interleaved:
      var batch = InterleavedBatch(MatrixStack(splitting: a, count: 1))
      batch.invertPositiveDefinite(threads: 1)
    }
  }
}

/// Products that pack one operand, both, or neither but write through scratch. The data are small integers and every sum
/// is exact: what they must be is made once, in double precision.
private struct ExactProduct<S: KernelScalar> {
  let a, b, product, square: Matrix<S>

  init(_ m: Int, _ n: Int, _ k: Int) {
    a = Matrix(rows: m, columns: k) { i, p in S((i * 7 + p * 3) % 5 - 2) }
    b = Matrix(rows: n, columns: k) { j, p in S((j * 5 + p) % 7 - 3) }
    func exact(_ x: Matrix<S>, _ y: Matrix<S>) -> Matrix<S> {
      let product = Ratio.double(x).multiplied(by: Ratio.double(y).transposed)
      return Matrix(rows: x.rows, columns: y.rows) { i, j in S(product[i, j]) }
    }
    (product, square) = (exact(b, a), exact(a, a))
  }

  func check(_ backend: NativeBackend) {
    var c = Matrix<S>(rows: b.rows, columns: a.rows)
    // B is read transposed, so that it is packed.
    gemm(b, a.transposed, into: &c, on: backend, threads: 2)
    #expect(c == product, "gemm \(b.rows)×\(a.rows)×\(a.columns) \(S.self) \(backend.name)")
    var s = Matrix<S>(rows: a.rows, columns: a.rows)
    syrk(a, into: &s, mirror: true, on: backend, threads: 2)
    #expect(s == square, "syrk \(a.rows)×\(a.columns) \(S.self) \(backend.name)")
  }
}
