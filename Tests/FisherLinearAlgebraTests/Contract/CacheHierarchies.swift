import FisherLinearAlgebra
import FisherRuntime
import FisherTestSupport
import Foundation
import Testing

/// The caches that plans are made for decide no bit: every plan that other machines would choose is run here, in a
/// process of its own, and leaves what this machine's plan leaves.
@Suite struct CacheHierarchies {
  /// The least that is believed; Zen 3; this library's first machine; a third level of many cores, from which a few rows of B
  /// are read at a time; caches that hold everything.
  static let hierarchies = ["32K,256K,1M", "32K,512K,16M", "48K,2M,32M", "48K,1M,256M", "1M,64M,1G"]

  /// Around every decision: thin, wide, long and square, operands that fit a level and that do not.
  private static let shapes = [
    (1, 700, 400), (4, 2100, 520), (130, 65, 257), (33, 600, 1100), (700, 40, 513), (260, 300, 700),
    (900, 500, 30),
  ]

  private static var backends: [NativeBackend] {
    InstructionSet.supported.map { NativeBackend(instructionSet: $0) }
  }

  /// A hash of the bits of all results, for every shape, instruction set and element type.
  private static func hashes() -> [UInt64] {
    backends.flatMap { backend in hashes(backend, Float.self) + hashes(backend, Double.self) }
  }

  private static func hashes<S: KernelScalar>(_ backend: NativeBackend, _: S.Type) -> [UInt64] {
    shapes.map { m, n, k in
      var hash: UInt64 = 0xcbf2_9ce4_8422_2325
      for result in ProductSet<S>(m, n, k).run(backend, threads: 2) + solutions(k, n, S.self, backend) {
        for bits in result.bits { hash = (hash ^ bits) &* 0x100_0000_01b3 }
      }
      return hash
    }
  }

  /// What follows from a triangle: panels are copied or read where they lie as the caches say.
  private static func solutions<S: KernelScalar>(
    _ k: Int, _ n: Int, _: S.Type, _ backend: NativeBackend
  ) -> [(routine: String, bits: [UInt64])] {
    var generator = Generator(seed: Seed.first)
    let order = min(k, 520)
    let a = DefiniteKind.random.matrix(order, S.self, &generator)
    let b = GeneralKind.random.matrix(order, min(n, 80), S.self, &generator)
    let factor = try! Cholesky(a, on: backend, threads: 2)
    return [
      ("solve", factor.solving(b, on: backend, threads: 2).array.map(\.bits)),
      ("inverse", factor.inverse(on: backend, threads: 2).array.map(\.bits)),
    ]
  }

  @Test(.ownThread, arguments: hierarchies)
  func bitsDoNotDependOnCaches(_ caches: String) async {
    let expected = Self.hashes()
    await #expect(processExitsWith: .success, "other bits with FISHER_CACHES=\(caches)") {
      [caches = caches as String, expected = expected as [UInt64]] in
      setenv("FISHER_CACHES", caches, 1)
      let planned = CacheModel.machine
      let wanted = try CacheModel.selected(caches)
      precondition(planned == wanted, "plans are made for \(planned)")
      precondition(Self.hashes() == expected, "other bits")
    }
  }
}
