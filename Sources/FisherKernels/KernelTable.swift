public import FisherRuntime
public import KernelTemplates
import PortableKernels

#if arch(x86_64)
  import AVX2Kernels
  import AVX512Kernels
#endif

// The dispatch table: one row an instruction set. FisherLinearAlgebra declares these two functions by the names of their
// symbols, so that it is compiled beside the kernels instead of behind them.

/// The kernels of an instruction set for `Float`.
@_silgen_name("fisherkit_kernels_float")
public func floatKernels(_ instructionSet: InstructionSet) -> any KernelSet<Float>.Type {
  switch instructionSet {
  #if arch(x86_64)
    case .avx512: return avx512Float
    case .avx2: return avx2Float
  #endif
  default: return portableFloat
  }
}

/// The kernels of an instruction set for `Double`.
@_silgen_name("fisherkit_kernels_double")
public func doubleKernels(_ instructionSet: InstructionSet) -> any KernelSet<Double>.Type {
  switch instructionSet {
  #if arch(x86_64)
    case .avx512: return avx512Double
    case .avx2: return avx2Double
  #endif
  default: return portableDouble
  }
}
