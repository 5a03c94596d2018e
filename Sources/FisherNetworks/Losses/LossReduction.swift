public import FisherCurvature
public import FisherLinearAlgebra

/// What the losses of the rows are combined to. A type, so that a gradient of one cannot pass for one of the other.
public protocol LossReduction: Sendable {
  /// The name in reports.
  static var name: String { get }
  /// The factor of each row's loss among so many.
  static func weight(terms: Int) -> Double
  /// Gradients of the combined loss, labelled as such.
  static func outputGradients<S: KernelScalar>(_ values: Matrix<S>, terms: Int) -> OutputGradients<S>
}

/// The mean over the rows.
public enum MeanReduction: LossReduction {
  public static var name: String { "mean" }
  public static func weight(terms: Int) -> Double { 1 / Double(terms) }
  public static func outputGradients<S: KernelScalar>(_ values: Matrix<S>, terms: Int) -> OutputGradients<S> {
    .ofMean(values, terms: terms)
  }
}

/// The sum over the rows.
public enum SumReduction: LossReduction {
  public static var name: String { "sum" }
  public static func weight(terms: Int) -> Double { 1 }
  public static func outputGradients<S: KernelScalar>(_ values: Matrix<S>, terms: Int) -> OutputGradients<S> {
    .ofSum(values, terms: terms)
  }
}
