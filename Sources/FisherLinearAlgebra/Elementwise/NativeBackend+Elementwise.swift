public import KernelTemplates

extension NativeBackend {
  @specialized(where S == Float) @specialized(where S == Double)
  public func map<S: KernelScalar>(
    _ function: ElementwiseFunction, _ x: UnsafePointer<S>, to y: UnsafeMutablePointer<S>, count: Int
  ) {
    S._kernels(instructionSet).map(function, x, to: y, count: count)
  }

  @specialized(where S == Float) @specialized(where S == Double)
  public func multiplyDerivative<S: KernelScalar>(
    _ function: ElementwiseFunction, x: UnsafePointer<S>, y: UnsafePointer<S>, dy: UnsafePointer<S>,
    to dx: UnsafeMutablePointer<S>, adds: Bool, count: Int
  ) {
    S._kernels(instructionSet).multiplyDerivative(
      function, x: x, y: y, dy: dy, to: dx, adds: adds, count: count)
  }

  @specialized(where S == Float) @specialized(where S == Double)
  public func softmax<S: KernelScalar>(
    _ x: MatrixPointer<S>, to y: MutableMatrixPointer<S>, sums: UnsafeMutablePointer<ExponentialSum<S>>?
  ) {
    S._kernels(instructionSet).softmax(x, to: y, sums: sums)
  }

  @specialized(where S == Float) @specialized(where S == Double)
  public func rectifyGradient<S: KernelScalar>(
    _ δ: MutableMatrixPointer<S>, output y: MatrixPointer<S>, slope: S, sums: UnsafeMutablePointer<S>?
  ) {
    S._kernels(instructionSet).rectifyGradient(δ, output: y, slope: slope, sums: sums)
  }
}
