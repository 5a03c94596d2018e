public import FisherLinearAlgebra
import FisherRuntime

/// The mean gradient of several micro-batches, which is the gradient of their union.
///
/// It is a mean at any time, so it overflows or vanishes only where the gradients do.
public struct GradientAccumulator<Scalar: KernelScalar>: Sendable {
  private var means: [Matrix<Scalar>] = []
  /// The terms of the mean so far.
  public private(set) var sampleCount = 0

  public init() {}

  /// Takes in the gradients of a mean over `count` terms: mean ← mean·(1 − w) + gradient·w, w their share of all terms.
  ///
  /// - Precondition: shapes agree with those of the first micro-batch; `count` is positive.
  public mutating func add(
    _ gradients: [Matrix<Scalar>], count: Int, on backend: any Backend = NativeBackend()
  ) {
    require(count > 0, "GradientAccumulator: \(count) terms")
    let (terms, isTooMany) = sampleCount.addingReportingOverflow(count)
    require(!isTooMany, "GradientAccumulator: \(count) terms after \(sampleCount)")
    defer { sampleCount = terms }
    if means.isEmpty {
      means = gradients.map { $0.compacted() }
      return
    }
    require(
      means.count == gradients.count,
      "GradientAccumulator: \(gradients.count) gradients after \(means.count)")
    let share = Double(count) / Double(terms)
    for (i, gradient) in gradients.enumerated() {
      scal(alpha: Scalar(1 - share), &means[i], on: backend)
      axpy(alpha: Scalar(share), gradient, into: &means[i], on: backend)
    }
  }

  /// The gradients of the mean over all terms; the accumulator is empty afterwards.
  public mutating func take() -> [Matrix<Scalar>] {
    require(sampleCount > 0, "GradientAccumulator: nothing was added")
    defer { self = GradientAccumulator() }
    return means
  }
}
