import FisherLinearAlgebra
import FisherTestSupport
import KernelTemplates
import Testing

/// The same bits for any number of threads in what follows from factors: solutions, inverses, Q, and inverse roots.
struct SolutionBits: Clause {
  func violations<S: KernelScalar>(of backend: any Backend, _: S.Type) -> Violations {
    var found = Violations()
    for (n, seed) in zip([40, 340, 530], Seed.cases(3)) where n < 100 || !(backend is ReferenceBackend) {
      var generator = Generator(seed: seed)
      let general = GeneralKind.random.matrix(n, n, S.self, &generator)
      let definite = DefiniteKind.random.matrix(n, S.self, &generator)
      let b = GeneralKind.random.matrix(n, 45, S.self, &generator)
      let threads = n > 100 ? [1, 3] : [1, 2, 3, 7]
      guard
        let results = try? threads.map({ try self.results(general, definite, b, backend, $0) })
      else {
        found.add("\(backend.name) \(S.self) n \(n), seed \(seed): refused")
        continue
      }
      for (threads, result) in zip(threads, results).dropFirst() {
        for ((name, bits), (_, expected)) in zip(result, results[0]) where !found.isFull {
          let place = "\(backend.name) \(S.self) n \(n), seed \(seed)"
          found.expect(bits == expected, "\(place): \(name) has other bits with \(threads) threads")
        }
      }
    }
    return found
  }

  private func results<S: KernelScalar>(
    _ general: Matrix<S>, _ definite: Matrix<S>, _ b: Matrix<S>, _ backend: any Backend, _ threads: Int
  ) throws -> [(name: String, bits: [UInt64])] {
    let lu = LU(general, on: backend, threads: threads)
    var results: [(String, Matrix<S>)] = [
      ("LU.solve", try lu.solving(b, on: backend, threads: threads)),
      ("LU.solve transposed", try lu.solving(b, transposed: true, on: backend, threads: threads)),
      ("LU.inverse", try lu.inverse(on: backend, threads: threads)),
      (
        "LU.reciprocalCondition",
        Matrix(repeating: lu.reciprocalCondition(on: backend, threads: threads), rows: 1, columns: 1)
      ),
    ]
    if general.rows < 400 {
      let qr = QR(general, on: backend, threads: threads)
      results.append(("QR.q", qr.q(on: backend, threads: threads)))
      results.append(("QR.solve", try qr.solving(b, on: backend, threads: threads)))
      let pivoted = try PivotedQR(general, on: backend, threads: threads)
      results.append(("PivotedQR.r", pivoted.r))
      results.append(("PivotedQR.solve", pivoted.solving(b, on: backend, threads: threads)))
    }
    do {
      let factor = try Cholesky(definite, on: backend, threads: threads)
      results.append(("Cholesky.solve", factor.solving(b, on: backend, threads: threads)))
      results.append(("Cholesky.inverse", factor.inverse(on: backend, threads: threads)))
    }
    for method in [InverseRootMethod<S>.eigen(), .coupledNewton()] where definite.rows < 400 {
      let root = try InverseRoot(definite, p: 4, by: method, on: backend, threads: threads)
      results.append(("InverseRoot by \(method)", root.matrix))
    }
    return results.map { ($0.0, $0.1.array.map(\.bits)) }
  }

  @Test(arguments: Subject.keepingBits)
  static func bits(_ subject: Subject) { expect(subject) }
}
