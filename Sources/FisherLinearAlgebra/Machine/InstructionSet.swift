/// The instruction sets the kernels are compiled for, from the most general to the fastest.
public enum InstructionSet: String, CaseIterable, Comparable, Sendable {
  /// x86-64 without FMA; on arm64 NEON with FMA.
  case portable
  /// AVX2 and FMA (x86-64-v3).
  case avx2
  /// AVX-512 F, BW, CD, DQ and VL (x86-64-v4).
  case avx512

  public static func < (a: InstructionSet, b: InstructionSet) -> Bool {
    allCases.firstIndex(of: a)! < allCases.firstIndex(of: b)!
  }
}

extension InstructionSet {
  public static let best: InstructionSet = .avx512
}
