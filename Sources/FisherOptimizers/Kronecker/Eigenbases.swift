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
  /// Stages eigenvectors and eigenvalues of every factor: all in one go, the largest first, on all threads.
  ///
  /// Where a decomposition fails, as it does for numbers that are not finite, the former one stays, at first the identity
  /// with zeros, and is counted: `bases kept`. 14/3·n³ flops each.
  @specialized(where Scalar == Float) @specialized(where Scalar == Double)
  public mutating func decompose(_ factors: [EigenFactor<Scalar>]) {
    var vectors: [Matrix<Scalar>] = []
    var values: [Matrix<Scalar>] = []
    for factor in factors {
      let n = factor.factor.rows
      vectors.append(memory(for: factor.vectors, of: factor.owner, rows: n, columns: n))
      values.append(memory(for: factor.values, of: factor.owner, rows: 1, columns: n))
    }
    // Eigenvectors along memory: columns of the transposed matrix.
    let calls = factors.indices.map { i in
      SymmetricEigenCall(
        a: factors[i].factor.withPointer { $0 },
        vectors: vectors[i].withMutablePointer(discarding: true) { $0.transposed },
        values: values[i].withMutablePointer(discarding: true) { $0.base })
    }
    var isBad = [Bool](repeating: false, count: calls.count)
    let (backend, isFinite) = (backend, factors.map(\.factor.isFinite))
    isBad.withUnsafeMutableBufferPointer { isBad in
      // Each task writes its own matrices and its own outcome.
      nonisolated(unsafe) let (isBad, calls) = (isBad, calls)
      let costs = factors.map { Double($0.factor.rows) }.map { $0 * $0 * $0 }
      CostedTasks.perform(costs: costs, threads: threads) { i, threads in
        isBad[i] = !isFinite[i] || backend.symmetricEigen(calls[i], threads: threads) != .converged
      }
    }
    withExtendedLifetime((factors, vectors, values)) {}
    for (i, factor) in factors.enumerated() {
      if isBad[i] {
        let n = factor.factor.rows
        vectors[i] = tensor(factor.vectors, of: factor.owner) ?? Matrix(identity: n)
        values[i] = tensor(factor.values, of: factor.owner) ?? Matrix(rows: 1, columns: n)
        count("bases kept")
      }
      set(factor.vectors, of: factor.owner, to: vectors[i])
      set(factor.values, of: factor.owner, to: values[i])
    }
  }
}
