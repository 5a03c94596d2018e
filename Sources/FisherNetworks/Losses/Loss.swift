public import FisherLinearAlgebra

/// What the outputs of a network are measured by: a negative log-likelihood, so that labels can be drawn from it.
///
/// A row of outputs (a sample, or one of its positions) has one loss, the sum over its columns.
public struct Loss<Reduction: LossReduction>: Sendable {
  let function: LossFunction

  /// −log softmax(z)ₜ for the class t.
  ///
  /// - Parameter labelSmoothing: ε in 0 ..< 1; the label becomes (1 − ε)·onehot + ε/classes.
  public static func softmaxCrossEntropy(labelSmoothing: Double = 0) -> Loss {
    require(
      labelSmoothing >= 0 && labelSmoothing < 1,
      "softmaxCrossEntropy: label smoothing \(labelSmoothing) is not in 0 ..< 1")
    return Loss(function: .softmaxCrossEntropy(labelSmoothing: labelSmoothing))
  }
}

extension Loss where Reduction == MeanReduction {
  /// The default of classification: the mean softmax cross-entropy.
  public static var standard: Loss { softmaxCrossEntropy() }
}

/// The labels of a batch.
public enum Labels<Scalar: KernelScalar>: Sendable {
  /// One class for each row of outputs.
  case classes([Int])
  /// A number for each output.
  case values(Matrix<Scalar>)
}

/// The losses that there are.
enum LossFunction: Sendable, Hashable {
  case softmaxCrossEntropy(labelSmoothing: Double)
}
