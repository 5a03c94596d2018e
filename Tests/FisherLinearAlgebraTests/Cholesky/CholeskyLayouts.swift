import FisherLinearAlgebra
import FisherTestSupport
import KernelTemplates
import Testing

/// The bits depend on the matrix alone: not on the triangle that holds it, nor on strides on either side, nor on whether the
/// result takes its place.
struct CholeskyBitsAcrossLayouts: Clause {
  func violations<S: KernelScalar>(of backend: any Backend, _: S.Type) -> Violations {
    var found = Violations()
    for (n, seed) in zip([3, 17, 33, 70, 130, 520], Seed.cases(6)) where !found.isFull {
      if n > 100 && backend is ReferenceBackend { continue }
      var generator = Generator(seed: seed)
      let matrix = DefiniteKind.random.matrix(n, S.self, &generator)
      var bits: [[[UInt64]]] = []
      for seed in Seed.cases(n < 200 ? 6 : 3) {
        for triangle in Triangle.allCases {
          let test = CholeskyCase<S>(seed: seed, matrix, .random, triangle)
          bits.append(beside(test, backend))
          bits.append(inPlace(test, backend))
          found.expect(test.damage == nil, "\(backend.name) \(test): \(test.damage!)")
        }
      }
      for (k, name) in ["potrf", "potri", "inverse"].enumerated() {
        let sets = Set(bits.map { $0[k] })
        found.expect(
          sets.count == 1,
          "\(backend.name) \(S.self) \(name) n \(n), seed \(seed): \(sets.count) sets of bits")
      }
    }
    return found
  }

  /// The factor, the inverse from it, and the inverse in one sweep.
  private func beside<S: KernelScalar>(_ test: CholeskyCase<S>, _ backend: any Backend) -> [[UInt64]] {
    _ = backend.potrf(test.call, threads: test.threads)
    let factor = bits(test)
    let other = GuardedMatrix<S>(test.order, test.order, test.source.layout)
    for i in 0..<test.order { for j in 0..<test.order { other.pointer[i, j] = test.target.pointer[i, j] } }
    backend.potri(
      Potri(factor: other.readOnly, target: test.target.pointer, triangle: test.triangle),
      threads: test.threads)
    let potri = bits(test)
    _ = backend.invertPositiveDefinite(test.call, mirror: false, threads: test.threads)
    return [factor, potri, bits(test)]
  }

  /// The same where source and target are one.
  private func inPlace<S: KernelScalar>(_ test: CholeskyCase<S>, _ backend: any Backend) -> [[UInt64]] {
    let target = test.target.pointer
    var call = test.call
    call.source = target.readOnly
    test.target.filled(with: test.matrix, only: test.triangle)
    _ = backend.potrf(call, threads: test.threads)
    let factor = bits(test)
    backend.potri(
      Potri(factor: target.readOnly, target: target, triangle: test.triangle), threads: test.threads)
    let potri = bits(test)
    test.target.filled(with: test.matrix, only: test.triangle)
    _ = backend.invertPositiveDefinite(call, mirror: false, threads: test.threads)
    return [factor, potri, bits(test)]
  }

  private func bits<S: KernelScalar>(_ test: CholeskyCase<S>) -> [UInt64] {
    let lower = test.lower
    return (0..<test.order).flatMap { i in (0...i).map { lower[i, $0].bits } }
  }

  @Test(arguments: Subject.keepingBits)
  static func bits(_ subject: Subject) { expect(subject) }
}
