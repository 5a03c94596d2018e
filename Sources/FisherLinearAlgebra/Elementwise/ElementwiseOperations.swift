public import KernelTemplates

public typealias ElementwiseFunction = KernelTemplates.ElementwiseFunction
public typealias ExponentialSum = KernelTemplates.ExponentialSum

/// Functions of single elements, and of rows, on contiguous memory.
public protocol ElementwiseOperations {
  /// y ← f(x). y may be x.
  func map<S: KernelScalar>(
    _ function: ElementwiseFunction, _ x: UnsafePointer<S>, to y: UnsafeMutablePointer<S>, count: Int)

  /// dx ← dy·f′(x), or dx ← dx + dy·f′(x) if `adds`, where y = f(x). dx may be dy.
  func multiplyDerivative<S: KernelScalar>(
    _ function: ElementwiseFunction, x: UnsafePointer<S>, y: UnsafePointer<S>, dy: UnsafePointer<S>,
    to dx: UnsafeMutablePointer<S>, adds: Bool, count: Int)

  /// Row by row, y ← exp(x)/Σ exp(x), and the sum to `sums` if that is given. y may be x.
  ///
  /// Columns are contiguous.
  func softmax<S: KernelScalar>(
    _ x: MatrixPointer<S>, to y: MutableMatrixPointer<S>, sums: UnsafeMutablePointer<ExponentialSum<S>>?)

  /// δ ← δ where y > 0, slope·δ elsewhere, and the sums of its columns if they are wanted. Columns are contiguous.
  func rectifyGradient<S: KernelScalar>(
    _ δ: MutableMatrixPointer<S>, output y: MatrixPointer<S>, slope: S, sums: UnsafeMutablePointer<S>?)
}

extension ElementwiseOperations {
  public func map<S: KernelScalar>(
    _ function: ElementwiseFunction, _ x: UnsafePointer<S>, to y: UnsafeMutablePointer<S>, count: Int
  ) {
    for i in 0..<count { y[i] = S(function.value(at: Double(x[i]))) }
  }

  public func multiplyDerivative<S: KernelScalar>(
    _ function: ElementwiseFunction, x: UnsafePointer<S>, y: UnsafePointer<S>, dy: UnsafePointer<S>,
    to dx: UnsafeMutablePointer<S>, adds: Bool, count: Int
  ) {
    for i in 0..<count {
      let term = S(Double(dy[i]) * function.derivative(at: Double(x[i])))
      dx[i] = adds ? dx[i] + term : term
    }
  }

  public func softmax<S: KernelScalar>(
    _ x: MatrixPointer<S>, to y: MutableMatrixPointer<S>, sums: UnsafeMutablePointer<ExponentialSum<S>>?
  ) {
    for i in 0..<x.rows {
      let sum = Softmax.plain(x.base + i * x.rowStride, to: y.base + i * y.rowStride, count: x.columns)
      sums?[i] = ExponentialSum(peak: S(sum.peak), rest: S(sum.rest))
    }
  }

  public func rectifyGradient<S: KernelScalar>(
    _ δ: MutableMatrixPointer<S>, output y: MatrixPointer<S>, slope: S, sums: UnsafeMutablePointer<S>?
  ) {
    for j in 0..<δ.columns {
      var sum = 0.0
      for i in 0..<δ.rows {
        if slope != 1 && !(y[i, j] > 0) { δ[i, j] = slope * δ[i, j] }
        sum += Double(δ[i, j])
      }
      sums?[j] = S(sum)
    }
  }
}
