import FisherRuntime
import KernelTemplates

/// The eigendecomposition A = V·Λ·Vᵀ of a symmetric matrix, Λ diagonal, VᵀV = I.
///
///     let eigen = try SymmetricEigen(a)
///     let root = eigen.function { $0.squareRoot() }         // A^{1/2}
///
/// About 4/3·n³ flops for the tridiagonal form, up to 4/3·n³ for its eigenvectors and 2·n³ to transform them. Computed
/// values and vectors satisfy ‖A·V − V·Λ‖ ≤ c·n·u·‖A‖ and ‖VᵀV − I‖ ≤ c·n·u, u the unit roundoff: small eigenvalues are
/// accurate relative to ‖A‖, not to themselves.
public struct SymmetricEigen<Scalar: KernelScalar>: Sendable {
  /// The eigenvalues in ascending order.
  public private(set) var values: [Scalar]
  /// n × n: column j is the unit eigenvector of `values[j]`.
  public private(set) var vectors: Matrix<Scalar>

  /// Decomposes `a`.
  ///
  /// - Parameters:
  ///   - a: symmetric; only one triangle is read.
  ///   - triangle: the triangle that is read.
  ///   - backend: what computes it.
  ///   - threads: the most threads to use, at least 1.
  /// - Throws: ``FactorizationError/notFinite`` if an element of the triangle is NaN or infinite;
  ///   ``FactorizationError/notConverged``, which is not known to happen.
  public init(
    _ a: Matrix<Scalar>, reading triangle: Triangle = .lower, on backend: any Backend = NativeBackend(),
    threads: Int = Threads.available
  ) throws(FactorizationError) {
    values = [Scalar](repeating: 0, count: a.rows)
    // Eigenvectors along memory: the backends make them in rows.
    vectors = Matrix(uninitialized: a.rows, a.rows).transposed
    try refactorize(a, reading: triangle, on: backend, threads: threads)
  }

  /// Decomposes another matrix, of the same order, in the memory of this value; the parameters are those of
  /// ``init(_:reading:on:threads:)``. Nothing is allocated.
  ///
  /// - Throws: what the initializer throws; then this value is as it was, or, had it not converged, all its numbers are NaN.
  @specialized(where Scalar == Float) @specialized(where Scalar == Double)
  public mutating func refactorize(
    _ a: Matrix<Scalar>, reading triangle: Triangle = .lower, on backend: any Backend = NativeBackend(),
    threads: Int = Threads.available
  ) throws(FactorizationError) {
    requireThreads(threads, "SymmetricEigen")
    require(a.rows == a.columns, "SymmetricEigen: A is \(a.rows)×\(a.columns); it must be square")
    let n = order
    require(
      a.rows == n,
      "SymmetricEigen: A is \(a.rows)×\(a.columns); it must be \(n)×\(n), as the first one was")
    if n == 0 { return }
    let status = a.withPointer { a -> EigenStatus in
      let lower = triangle == .lower ? a : a.transposed
      for i in 0..<n { for j in 0...i where !lower[i, j].isFinite { return .notFinite } }
      return vectors.withMutablePointer(discarding: true) { vectors in
        values.withUnsafeMutableBufferPointer { values in
          backend.symmetricEigen(
            SymmetricEigenCall(a: lower, vectors: vectors, values: values.baseAddress!), threads: threads)
        }
      }
    }
    try status.check()
  }

  /// n
  public var order: Int { values.count }

  /// B ← A⁻¹·B = V·Λ⁻¹·Vᵀ·B, B with n rows. 4·n² flops a column.
  ///
  /// - Throws: ``FactorizationError/singular(pivot:)`` with the first eigenvalue that is 0; then B is as it was.
  public func solve(
    _ b: inout Matrix<Scalar>, on backend: any Backend = NativeBackend(), threads: Int = Threads.available
  ) throws(FactorizationError) {
    require(b.rows == order, "SymmetricEigen.solve: A is \(order)×\(order) and B is \(b.rows)×\(b.columns)")
    try requireRegular()
    let coordinates = vectors.transposed.multiplied(by: b, on: backend, threads: threads)
    let quotients = Matrix(rows: order, columns: b.columns) { i, j in coordinates[i, j] / values[i] }
    gemm(vectors, quotients, into: &b, on: backend, threads: threads)
  }

  /// A⁻¹·B; see ``solve(_:on:threads:)``.
  public func solving(
    _ b: Matrix<Scalar>, on backend: any Backend = NativeBackend(), threads: Int = Threads.available
  ) throws(FactorizationError) -> Matrix<Scalar> {
    var x = b
    try solve(&x, on: backend, threads: threads)
    return x
  }

  /// A⁻¹ = V·Λ⁻¹·Vᵀ.
  ///
  /// - Throws: ``FactorizationError/singular(pivot:)`` with the first eigenvalue that is 0.
  public func inverse(
    on backend: any Backend = NativeBackend(), threads: Int = Threads.available
  ) throws(FactorizationError) -> Matrix<Scalar> {
    try requireRegular()
    return function(on: backend, threads: threads) { 1 / $0 }
  }

  /// V·Λ·Vᵀ, the matrix that was decomposed, up to rounding.
  public func reconstructed(
    on backend: any Backend = NativeBackend(), threads: Int = Threads.available
  ) -> Matrix<Scalar> { function(on: backend, threads: threads) { $0 } }

  private func requireRegular() throws(FactorizationError) {
    if let pivot = values.firstIndex(of: 0) { throw .singular(pivot: pivot) }
  }

  /// V·f(Λ)·Vᵀ. 2·n³ flops.
  ///
  /// - Parameters:
  ///   - f: applied to each eigenvalue.
  ///   - backend: what computes it.
  ///   - threads: the most threads to use, at least 1.
  @specialized(where Scalar == Float) @specialized(where Scalar == Double)
  public func function(
    on backend: any Backend = NativeBackend(), threads: Int = Threads.available,
    _ f: (Scalar) -> Scalar
  ) -> Matrix<Scalar> {
    let n = values.count
    let rows = vectors.transposed
    let images = values.map(f)
    let scaled = Matrix<Scalar>(rows: n, columns: n) { i, j in images[i] * rows[i, j] }
    var result = Matrix<Scalar>(rows: n, columns: n)
    gemm(vectors, scaled, into: &result, on: backend, threads: threads)
    return result
  }
}
