public import FisherRuntime
public import KernelTemplates

/// The SIMD kernels in pure Swift.
///
/// An element of a product has the same bits whatever the number of threads, the shape around it and the path taken
/// for it; AVX2 and AVX-512 give the same bits. See docs/numerics.md.
public struct NativeBackend: Backend {
  /// The instruction set whose kernels run.
  public let instructionSet: InstructionSet

  /// The best kernels this machine can run, or those of a lower instruction set.
  ///
  /// - Precondition: the machine supports `instructionSet`.
  public init(instructionSet: InstructionSet = .best) {
    self.instructionSet = instructionSet
  }

  public var name: String { "native \(instructionSet.rawValue)" }

  @specialized(where S == Float) @specialized(where S == Double)
  public func copy<S: KernelScalar>(_ source: MatrixPointer<S>, to target: MutableMatrixPointer<S>) {
    S._kernels(instructionSet).copy(source, to: target)
  }

  /// Runs `steps` of a loop that only multiplies and adds: for measuring the peak.
  ///
  /// - Returns: the flops done, and a value that depends on them.
  @specialized(where S == Float) @specialized(where S == Double)
  public func peakFlops<S: KernelScalar>(_ scalar: S.Type, steps: Int) -> (flops: Double, sink: S) {
    let kernels = S._kernels(instructionSet)
    let shape = kernels.shape
    return ThreadContext.current.withScratch(shape.tileScratch + 8 * shape.tileColumns, of: S.self) {
      scratch in
      let sink = kernels.peakLoop(steps: steps, scratch)
      return (Double(steps) * 2 * Double(shape.tileRows * shape.tileColumns), sink)
    }
  }
}
