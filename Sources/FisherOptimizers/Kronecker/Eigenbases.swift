public import FisherLinearAlgebra
import FisherRuntime

/// A symmetric factor whose eigenvectors and eigenvalues shall become state.
public struct EigenFactor<Scalar: KernelScalar>: Sendable {
  /// Symmetric; its lower triangle is read.
  public let factor: Matrix<Scalar>
  /// The slots of the eigenvectors, one a row, and of the eigenvalues, one row in ascending order.
  public let vectors, values: String
  public let owner: String

  public init(_ factor: Matrix<Scalar>, vectors: String, values: String, of owner: String) {
    self.factor = factor
    self.vectors = vectors
    self.values = values
    self.owner = owner
  }
}

extension Step {
  /// Stages eigenvectors and eigenvalues of every factor: all in one go, the largest first, on all threads of
  /// all ranks.
  ///
  /// Where a decomposition fails, as it does for numbers that are not finite, the former one stays, at first the identity
  /// with zeros, and is counted: `bases kept`. 14/3·n³ flops each.
  ///
  /// - Throws: ``StepRefusal`` if the ranks cannot go on.
  @specialized(where Scalar == Float) @specialized(where Scalar == Double)
  public mutating func decompose(_ factors: [EigenFactor<Scalar>]) throws(StepRefusal) {
    var bases: [[Matrix<Scalar>]] = []
    for factor in factors {
      let n = factor.factor.rows
      bases.append([
        memory(for: factor.vectors, of: factor.owner, rows: n, columns: n),
        memory(for: factor.values, of: factor.owner, rows: 1, columns: n),
      ])
    }
    let backend = backend
    let costs = factors.map { Double($0.factor.rows) }.map { $0 * $0 * $0 }
    let outcomes = try fill(&bases, costs: costs) { i, basis, threads in
      let A = factors[i].factor
      guard A.isFinite else { return 1 }
      // Eigenvectors along memory: columns of the transposed matrix.
      let call = SymmetricEigenCall(
        a: A.withPointer { $0 }, vectors: basis[0].withMutablePointer(discarding: true) { $0.transposed },
        values: basis[1].withMutablePointer(discarding: true) { $0.base })
      return backend.symmetricEigen(call, threads: threads) == .converged ? 0 : 1
    }
    for (i, factor) in factors.enumerated() {
      if outcomes[i] != 0 {
        let n = factor.factor.rows
        bases[i][0] = tensor(factor.vectors, of: factor.owner) ?? Matrix(identity: n)
        bases[i][1] = tensor(factor.values, of: factor.owner) ?? Matrix(rows: 1, columns: n)
        count("bases kept")
      }
      set(factor.vectors, of: factor.owner, to: bases[i][0])
      set(factor.values, of: factor.owner, to: bases[i][1])
    }
  }
}
