import FisherLinearAlgebra
import FisherRuntime
import FisherTestSupport
import KernelTemplates
import Testing

/// Kernels write the stream's normal numbers: the same bits on every instruction set, from any place on, and no more than asked.
@Suite struct RandomKernels {
  private static func check<S: KernelScalar>(_: S.Type, _ instructionSet: InstructionSet, _ scale: Double) {
    let stream = RandomStream(7, 11)
    for first in [0, 1, 5, 1_000_003] {
      for count in 0..<22 {
        let x = GuardedMatrix<S>(1, count)
        S._kernels(instructionSet).normals(
          of: stream, first..<first + count, times: scale, to: x.pointer.base)
        let expected = (first..<first + count).map { S(scale * stream.normal($0)).bits }
        #expect(
          x.elementBits() == expected && x.firstDamage() == nil,
          "\(instructionSet) \(S.self): \(count) numbers from \(first) on, times \(scale)")
      }
    }
  }

  @Test(arguments: InstructionSet.supported, [1, -1, 0.37])
  func theBitsAreThoseOfTheStream(_ instructionSet: InstructionSet, _ scale: Double) {
    Self.check(Float.self, instructionSet, scale)
    Self.check(Double.self, instructionSet, scale)
  }
}
