import KernelTemplates

/// The SIMD kernels in pure Swift.
public struct NativeBackend: Backend {
  /// The instruction set whose kernels run.
  public let instructionSet: InstructionSet

  public init(instructionSet: InstructionSet = .portable) {
    self.instructionSet = instructionSet
  }

  public var name: String { "native \(instructionSet.rawValue)" }

  public func gemm<S: KernelScalar>(_ call: Gemm<S>, threads: Int) { fatalError() }
  public func gemm<S: KernelScalar>(group: UnsafeBufferPointer<Gemm<S>>, threads: Int) { fatalError() }
  public func gemm<S: KernelScalar>(
    first: Gemm<S>, count: Int, batchStrides: (a: Int, b: Int, c: Int), threads: Int
  ) { fatalError() }
  public func syrk<S: KernelScalar>(_ call: Syrk<S>, threads: Int) { fatalError() }
  public func symm<S: KernelScalar>(_ call: Symm<S>, threads: Int) { fatalError() }
  public func gemv<S: KernelScalar>(_ call: Gemv<S>, threads: Int) { fatalError() }
  public func ger<S: KernelScalar>(
    alpha: S, x: VectorPointer<S>, y: VectorPointer<S>, a: MutableMatrixPointer<S>, threads: Int
  ) { fatalError() }
  public func dot<S: KernelScalar>(_ x: VectorPointer<S>, _ y: VectorPointer<S>) -> S { fatalError() }
  public func axpy<S: KernelScalar>(alpha: S, x: VectorPointer<S>, y: MutableVectorPointer<S>) { fatalError() }
  public func scal<S: KernelScalar>(alpha: S, x: MutableVectorPointer<S>) { fatalError() }
  public func nrm2<S: KernelScalar>(_ x: VectorPointer<S>) -> S { fatalError() }
  public func asum<S: KernelScalar>(_ x: VectorPointer<S>) -> S { fatalError() }
  public func iamax<S: KernelScalar>(_ x: VectorPointer<S>) -> Int? { fatalError() }
  public func copy<S: KernelScalar>(_ source: MatrixPointer<S>, to target: MutableMatrixPointer<S>) { fatalError() }
}
