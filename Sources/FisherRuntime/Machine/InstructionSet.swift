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

  /// The feature bits, as Linux names them, without which the kernels would not run. Never a family or model number.
  public var requiredFeatures: [String] {
    let v3 = ["avx", "avx2", "fma", "bmi1", "bmi2", "f16c", "abm", "movbe"]
    switch self {
    case .portable: return []
    case .avx2: return v3
    case .avx512: return v3 + ["avx512f", "avx512bw", "avx512cd", "avx512dq", "avx512vl"]
    }
  }

  /// The instruction sets that a machine with these feature bits can run, lowest first.
  public static func supported(by features: Set<String>) -> [InstructionSet] {
    #if arch(x86_64)
      return allCases.filter { $0.requiredFeatures.allSatisfy(features.contains) }
    #else
      return [.portable]
    #endif
  }

  /// The instruction sets that this machine can run, lowest first.
  public static let supported = supported(by: CPU.features)

  /// The best of `supported`, or the lower one that `forced` names (the value of `FISHER_ISA`).
  ///
  /// - Throws: ``MachineError`` if the name is unknown or the machine lacks that instruction set.
  public static func selected(
    _ forced: String?, supported: [InstructionSet]
  ) throws(MachineError) -> InstructionSet {
    guard let forced else { return supported.last ?? .portable }
    guard let set = InstructionSet(rawValue: forced), supported.contains(set) else {
      let names = supported.map(\.rawValue).joined(separator: ", ")
      throw MachineError(
        "FISHER_ISA is '\(forced)', which is not an instruction set of this machine; it can be: \(names)")
    }
    return set
  }

  /// The instruction set of the default backend: the best one, or the one that `FISHER_ISA` forces.
  ///
  /// An invalid `FISHER_ISA` ends the process with one line on standard error and exit status 2.
  public static let best = MachineError.exiting { () throws(MachineError) in
    try selected(Environment["FISHER_ISA"], supported: supported)
  }
}
