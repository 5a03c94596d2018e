public import KernelTemplates

// No CBLAS library has functions of single elements.

extension CBLASBackend {
  public func map<S: KernelScalar>(
    _ function: ElementwiseFunction, _ x: UnsafePointer<S>, to y: UnsafeMutablePointer<S>, count: Int
  ) {
    fallback.map(function, x, to: y, count: count)
  }

  public func multiplyDerivative<S: KernelScalar>(
    _ function: ElementwiseFunction, x: UnsafePointer<S>, y: UnsafePointer<S>, dy: UnsafePointer<S>,
    to dx: UnsafeMutablePointer<S>, adds: Bool, count: Int
  ) {
    fallback.multiplyDerivative(function, x: x, y: y, dy: dy, to: dx, adds: adds, count: count)
  }

  public func softmax<S: KernelScalar>(
    _ x: MatrixPointer<S>, to y: MutableMatrixPointer<S>, sums: UnsafeMutablePointer<ExponentialSum<S>>?
  ) {
    fallback.softmax(x, to: y, sums: sums)
  }

  public func rectifyGradient<S: KernelScalar>(
    _ δ: MutableMatrixPointer<S>, output y: MatrixPointer<S>, slope: S, sums: UnsafeMutablePointer<S>?
  ) {
    fallback.rectifyGradient(δ, output: y, slope: slope, sums: sums)
  }
}
