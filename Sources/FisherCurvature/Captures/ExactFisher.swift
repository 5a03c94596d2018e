public import FisherLinearAlgebra
import FisherRuntime

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

  /// Micro-batches one after the other.
  public init(concatenating parts: [ExactFisher], on backend: any Backend = NativeBackend()) {
    require(!parts.isEmpty, "ExactFisher: there is nothing to concatenate")
    let rows = parts.flatMap(\.coefficients.array)
    self.init(
      columns: parts[0].columns.indices.map { r in
        Captures(concatenating: parts.map { $0.columns[r] }, on: backend)
      },
      coefficients: Matrix(
        rows, rows: parts.reduce(0) { $0 + $1.coefficients.rows }, columns: parts[0].coefficients.columns))
  }
}
