public import FisherLinearAlgebra

/// The Fisher matrix of a batch as a sum of products: F = Σᵣ JᵣᵀJᵣ, where the captures of column r are those of Jᵣ.
///
/// The curvature of a sample's loss in the network's outputs is Hₙ = Σᵣ mₙᵣ·mₙᵣᵀ, and row n of Jᵣ is mₙᵣ sent backward:
/// for softmax cross-entropy mₙᵣ = √pₙ(r)·(eᵣ − pₙ), for half the squared error eᵣ.
public struct ExactFisher<Scalar: KernelScalar>: Sendable {
  public let columns: [Captures<Scalar, Exact>]
  /// u: the gradient of the sum of the losses is Σᵣ Jᵣᵀuᵣ. One row a sample, one column for each r.
  public let coefficients: Matrix<Double>

  public init(columns: [Captures<Scalar, Exact>], coefficients: Matrix<Double>) {
    require(
      columns.count == coefficients.columns,
      "ExactFisher: \(columns.count) columns and coefficients \(coefficients.rows)×\(coefficients.columns)")
    self.columns = columns
    self.coefficients = coefficients
  }
}
