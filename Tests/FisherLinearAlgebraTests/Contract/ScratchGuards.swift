import FisherLinearAlgebra
import FisherTestSupport
import KernelTemplates
import Testing

/// Packed operands and tiles on their way to C stay inside their scratch: it lies against a page that cannot be
/// touched, behind it and then before it.
@Test(arguments: InstructionSet.supported)
func scratchGuards(_ set: InstructionSet) {
  for side in [GuardedScratch.Side.front, .rear] {
    let guarded = GuardedScratch(side)
    withExtendedLifetime(guarded) {
      usesScratch(Float.self, NativeBackend(instructionSet: set))
      usesScratch(Double.self, NativeBackend(instructionSet: set))
    }
  }
}

/// Products that pack one operand, both, or neither but write through scratch; compared with the reference,
/// element for element, because the data are small integers and every sum is exact.
private func usesScratch<S: KernelScalar>(_: S.Type, _ backend: NativeBackend) {
  for (m, n, k) in [(5, 7, 9), (15, 33, 20), (301, 67, 519), (131, 523, 300), (600, 37, 1030)] {
    let a = Matrix<S>(rows: m, columns: k) { i, p in S((i * 7 + p * 3) % 5 - 2) }
    let b = Matrix<S>(rows: n, columns: k) { j, p in S((j * 5 + p) % 7 - 3) }
    var c = Matrix<S>(rows: n, columns: m)
    var expected = c
    // B is read transposed, so that it is packed.
    gemm(b, a.transposed, into: &c, on: backend, threads: 2)
    gemm(b, a.transposed, into: &expected, on: ReferenceBackend(), threads: 1)
    #expect(c == expected, "gemm \(n)×\(m)×\(k) \(S.self) \(backend.name)")

    var s = Matrix<S>(rows: m, columns: m)
    var full = s
    syrk(a, into: &s, mirror: true, on: backend, threads: 2)
    gemm(a, a.transposed, into: &full, on: ReferenceBackend(), threads: 1)
    #expect(s == full, "syrk \(m)×\(k) \(S.self) \(backend.name)")
  }
}
