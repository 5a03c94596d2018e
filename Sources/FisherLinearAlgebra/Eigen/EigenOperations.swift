public import KernelTemplates

/// A = V·Λ·Vᵀ for a symmetric n × n matrix A.
///
/// Only `triangle` of A is read. Column j of V is the eigenvector of value j, values ascend. Neither output may overlap A.
public struct SymmetricEigenCall<S: KernelScalar> {
  public var a: MatrixPointer<S>
  public var triangle: Triangle
  /// n × n.
  public var vectors: MutableMatrixPointer<S>
  /// n values.
  public var values: UnsafeMutablePointer<S>

  public init(
    a: MatrixPointer<S>, triangle: Triangle = .lower, vectors: MutableMatrixPointer<S>,
    values: UnsafeMutablePointer<S>
  ) {
    self.a = a
    self.triangle = triangle
    self.vectors = vectors
    self.values = values
  }

  /// n
  @inline(__always)
  var order: Int { a.rows }

  /// A with the triangle that is read below the diagonal.
  @inline(__always)
  var lower: MatrixPointer<S> { triangle == .lower ? a : a.transposed }
}

/// How an eigendecomposition went.
public enum EigenStatus: Sendable, Equatable {
  case converged
  /// An element of the triangle is NaN or infinite: all outputs are NaN.
  case notFinite
  /// An iteration did not come to an end: all outputs are NaN. Not known to happen.
  case notConverged

  /// Throws unless it converged.
  func check() throws(FactorizationError) {
    switch self {
    case .converged: return
    case .notFinite: throw .notFinite
    case .notConverged: throw .notConverged
    }
  }
}

/// The eigendecomposition of a symmetric matrix.
public protocol EigenOperations {
  /// A = V·Λ·Vᵀ; see ``SymmetricEigenCall``.
  func symmetricEigen<S: KernelScalar>(_ call: SymmetricEigenCall<S>, threads: Int) -> EigenStatus
}

extension EigenOperations {
  /// By Jacobi's rotations: what a backend without a routine of its own does.
  public func symmetricEigen<S: KernelScalar>(_ call: SymmetricEigenCall<S>, threads: Int) -> EigenStatus {
    ReferenceBackend().symmetricEigen(call, threads: threads)
  }
}

extension SymmetricEigenCall {
  /// NaN in every place of the outputs.
  func poison() {
    for i in 0..<order {
      values[i] = .nan
      for j in 0..<order { vectors[i, j] = .nan }
    }
  }
}
