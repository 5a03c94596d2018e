import FisherLinearAlgebra
import FisherTestSupport
import Testing

/// The bits of a result depend on its matrix alone: not on the batch, its place in it, the threads, the strides, and of
/// a lower triangle not on whether it is interleaved. Nothing outside the matrices is touched.
struct BatchedBits: Clause {
  func violations<S: KernelScalar>(of backend: any Backend, _: S.Type) -> Violations {
    var found = Violations()
    for routine in BatchedRoutine.allCases {
      for (n, seed) in zip(routine.orders, Seed.cases(routine.orders.count)) where !found.isFull {
        found += check(BatchedCase<S>(seed: seed, routine, n, count: 37), backend, seed)
      }
    }
    return found
  }

  private func check<S: KernelScalar>(
    _ together: BatchedCase<S>, _ backend: any Backend, _ seed: UInt64
  ) -> Violations {
    var found = Violations()
    let (routine, n) = (together.routine, together.n)
    let expected = together.run(backend)
    let place = "\(backend.name) \(S.self) \(routine) n \(n), seed \(seed)"
    for i in stride(from: 0, to: 37, by: 5) {
      let alone = BatchedCase<S>(routine, n, [together.matrices[i]]).run(backend)
      found.expect(alone.bits(0) == expected.bits(i), "\(place): matrix \(i) alone has other bits")
      found.expect(
        alone.logDeterminants[0].bits == expected.logDeterminants[i].bits, "\(place): log det \(i) alone")
    }
    for threads in [2, 3, 7] {
      var test = together
      test.threads = threads
      found.expect(
        test.run(backend).targets.elementBits() == expected.targets.elementBits(),
        "\(place): other bits with \(threads) threads")
    }
    for (k, layout) in Layout.outputs.enumerated() {
      var test = together
      test.layout = layout
      test.outputLayout = Layout.outputs[(3 * k + n) % Layout.outputs.count]
      test.flush = Flush.allCases[(k + n) % 2]
      let places = "from \(layout) to \(test.outputLayout)"
      let result = test.run(backend)
      found.expect(
        result.targets.elementBits() == expected.targets.elementBits(), "\(place): other bits \(places)")
      found.expect(result.targets.firstDamage() == nil, "\(place): writes into the gaps \(places)")
      guard routine.isSymmetric else { continue }
      test.isInterleaved = true
      let interleaved = test.run(backend)
      for i in 0..<37 {
        found.expect(
          interleaved.bits(i, lower: true) == expected.bits(i, lower: true),
          "\(place): matrix \(i) has other bits interleaved \(places)")
      }
      found.expect(
        interleaved.targets.firstDamage() == nil, "\(place): writes into the gaps, interleaved \(places)")
    }
    return found
  }

  @Test(arguments: Subject.keepingBits)
  static func bits(_ subject: Subject) { expect(subject) }

  @Test(arguments: ScalarKind.allCases)
  static func sameBitsForAllInstructionSetsWithFMA(_ kind: ScalarKind) {
    func bits<S: KernelScalar>(_ backend: any Backend, _: S.Type) -> [[UInt64]] {
      BatchedRoutine.allCases.flatMap { routine in
        (1...20).map { n in
          BatchedCase<S>(seed: Seed.first, routine, n, count: 5).run(backend).targets.elementBits()
        }
      }
    }
    let results = backendsUnderTest().filter(\.usesFMA).map { target in
      kind == .float ? bits(target.backend, Float.self) : bits(target.backend, Double.self)
    }
    #expect(Set(results).count <= 1, "seed \(Seed.first)")
  }
}
