public import FisherRuntime
public import KernelTemplates

/// The element types of the library: `Float` and `Double`.
public protocol KernelScalar: LaneArithmetic, Sendable, BitwiseCopyable {
  /// The kernels of an instruction set: implementation, not for use outside of the library.
  static func _kernels(_ instructionSet: InstructionSet) -> any KernelSet<Self>.Type

  /// The number in double precision: implementation, one call also where the type is not known.
  var _double: Double { get }
}

extension Double {
  /// `Double(x)` of the standard library asks a type that is not known for its sign, exponent and significand.
  @inlinable @inline(__always)
  init<S: KernelScalar>(_ x: S) { self = x._double }
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

// The module FisherKernels has these functions. Their symbols bind the two: nothing here waits for the kernels.

@_silgen_name("fisherkit_kernels_float")
private func floatKernels(_ instructionSet: InstructionSet) -> any KernelSet<Float>.Type

@_silgen_name("fisherkit_kernels_double")
private func doubleKernels(_ instructionSet: InstructionSet) -> any KernelSet<Double>.Type

extension Float: KernelScalar {
  public static func _kernels(_ instructionSet: InstructionSet) -> any KernelSet<Float>.Type {
    floatKernels(instructionSet)
  }

  @inlinable public var _double: Double { Double(self) }
}

extension Double: KernelScalar {
  public static func _kernels(_ instructionSet: InstructionSet) -> any KernelSet<Double>.Type {
    doubleKernels(instructionSet)
  }

  @inlinable public var _double: Double { self }
}
