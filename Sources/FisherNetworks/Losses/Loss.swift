public import FisherLinearAlgebra
import FisherRuntime

/// What the outputs of a network are measured by: a negative log-likelihood, so that labels can be drawn from it.
///
/// A row of outputs (a sample, or one of its positions) has one loss, the sum over its columns.
public struct Loss<Reduction: LossReduction>: Sendable {
  let function: LossFunction

  /// −Σ q·log softmax(z) for labels q: a class, or a distribution.
  ///
  /// - Parameter labelSmoothing: ε in 0 ..< 1; the label q of a sample, 1 at its class or any distribution, becomes
  ///   (1 − ε)·q + ε·Σq/classes.
  public static func softmaxCrossEntropy(labelSmoothing: Double = 0) -> Loss {
    require(
      labelSmoothing >= 0 && labelSmoothing < 1,
      "softmaxCrossEntropy: label smoothing \(labelSmoothing) is not in 0 ..< 1")
    return Loss(function: .softmaxCrossEntropy(labelSmoothing: labelSmoothing))
  }

  /// The softmax cross-entropy in which a row counts as much as its class weighs: Σ w·loss over rows, divided by the
  /// number of rows that have a class for the mean.
  ///
  /// - Parameters:
  ///   - weights: one for each class, at least 0.
  ///   - labelSmoothing: as in ``softmaxCrossEntropy(labelSmoothing:)``.
  public static func weightedCrossEntropy(classWeights weights: [Double], labelSmoothing: Double = 0) -> Loss
  {
    require(
      !weights.isEmpty && weights.allSatisfy { $0 >= 0 && $0.isFinite },
      "weightedCrossEntropy: \(weights) are no weights of classes")
    require(
      labelSmoothing >= 0 && labelSmoothing < 1,
      "weightedCrossEntropy: label smoothing \(labelSmoothing) is not in 0 ..< 1")
    return Loss(function: .weightedCrossEntropy(classWeights: weights, labelSmoothing: labelSmoothing))
  }

  /// Σ −t·log σ(z) − (1 − t)·log(1 − σ(z)) for labels t in 0 … 1.
  public static var binaryCrossEntropy: Loss { Loss(function: .binaryCrossEntropy) }

  /// ½·Σ (z − t)²: the negative log-likelihood of a normal distribution with variance 1, up to a constant.
  public static var squaredError: Loss { Loss(function: .squaredError) }
}

extension Loss where Reduction == MeanReduction {
  /// The default of classification: the mean softmax cross-entropy.
  public static var standard: Loss { softmaxCrossEntropy() }
}

/// The labels of a batch.
public enum Labels<Scalar: KernelScalar>: Sendable {
  /// One class for each row of outputs; −1 for a row that does not count: it has no loss and no gradient, and a mean is one
  /// over the other rows.
  case classes([Int])
  /// A number for each output.
  case values(Matrix<Scalar>)
}

/// The losses that there are.
enum LossFunction: Sendable, Hashable {
  case softmaxCrossEntropy(labelSmoothing: Double)
  case weightedCrossEntropy(classWeights: [Double], labelSmoothing: Double)
  case binaryCrossEntropy
  case squaredError
}
