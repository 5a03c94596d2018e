public import FisherLinearAlgebra
import FisherRuntime

/// The mean gradient of several micro-batches, which is the gradient of their union.
public struct GradientAccumulator<Scalar: KernelScalar>: Sendable {
  private var sums: [Matrix<Scalar>] = []
  /// The terms of the mean so far.
  public private(set) var sampleCount = 0

  public init() {}

  /// Adds the gradients of a mean over `count` terms.
  ///
  /// - Precondition: shapes agree with those of the first micro-batch; `count` is positive.
  public mutating func add(
    _ gradients: [Matrix<Scalar>], count: Int, on backend: any Backend = NativeBackend()
  ) {
    require(count > 0, "GradientAccumulator: \(count) terms")
    if sums.isEmpty { sums = gradients.map { Matrix(rows: $0.rows, columns: $0.columns) } }
    require(
      sums.count == gradients.count,
      "GradientAccumulator: \(gradients.count) gradients after \(sums.count)")
    for (i, gradient) in gradients.enumerated() {
      axpy(alpha: Scalar(count), gradient, into: &sums[i], on: backend)
    }
    sampleCount += count
  }

  /// The gradients of the mean over all terms; the accumulator is empty afterwards.
  public mutating func take(on backend: any Backend = NativeBackend()) -> [Matrix<Scalar>] {
    require(sampleCount > 0, "GradientAccumulator: nothing was added")
    for i in sums.indices { scal(alpha: 1 / Scalar(sampleCount), &sums[i], on: backend) }
    defer { self = GradientAccumulator() }
    return sums
  }
}
