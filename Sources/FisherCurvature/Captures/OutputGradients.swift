public import FisherLinearAlgebra

/// Gradients of a layer's pre-activations, and what they are gradients of.
///
/// A backward pass may start from the mean or from the sum of the losses; here that is said once, and everybody asks
/// for the scale that his method is written for.
public struct OutputGradients<Scalar: KernelScalar>: Sendable {
  /// As the backward pass left them.
  public let values: Matrix<Scalar>
  /// `values` times this are the gradients of the sum of the losses.
  public let scaleToSum: Double
  /// `values` times this are the gradients of the mean loss.
  public let scaleToMean: Double

  /// Gradients of the sum of `terms` losses.
  public static func ofSum(_ values: Matrix<Scalar>, terms: Int) -> OutputGradients {
    OutputGradients(values: values, scaleToSum: 1, scaleToMean: 1 / Double(terms))
  }

  /// Gradients of the mean of `terms` losses.
  public static func ofMean(_ values: Matrix<Scalar>, terms: Int) -> OutputGradients {
    OutputGradients(values: values, scaleToSum: Double(terms), scaleToMean: 1)
  }
}
