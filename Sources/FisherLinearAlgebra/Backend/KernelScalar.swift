public import FisherRuntime
public import KernelTemplates
import KernelsPortable

#if arch(x86_64)
  import KernelsAVX2
  import KernelsAVX512
#endif

/// The element types of the library: `Float` and `Double`.
public protocol KernelScalar: LaneArithmetic, Sendable, BitwiseCopyable {
  /// The kernels of an instruction set: implementation, not for use outside of the library.
  static func _kernels(_ instructionSet: InstructionSet) -> any KernelSet<Self>.Type
}

extension KernelScalar {
  /// The number times 2ᵉ, in two steps: 2ᵉ itself may lie outside of the range.
  @inline(__always)
  func scaled(byPowerOfTwo e: Int) -> Self {
    if e == 0 { return self }
    let half = e / 2
    return self * Self(sign: .plus, exponent: Exponent(half), significand: 1)
      * Self(sign: .plus, exponent: Exponent(e - half), significand: 1)
  }
}

// The dispatch table: one row an instruction set.

extension Float: KernelScalar {
  public static func _kernels(_ instructionSet: InstructionSet) -> any KernelSet<Float>.Type {
    switch instructionSet {
    #if arch(x86_64)
      case .avx512: return avx512Float
      case .avx2: return avx2Float
    #endif
    default: return portableFloat
    }
  }
}

extension Double: KernelScalar {
  public static func _kernels(_ instructionSet: InstructionSet) -> any KernelSet<Double>.Type {
    switch instructionSet {
    #if arch(x86_64)
      case .avx512: return avx512Double
      case .avx2: return avx2Double
    #endif
    default: return portableDouble
    }
  }
}
