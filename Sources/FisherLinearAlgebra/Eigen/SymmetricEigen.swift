import FisherRuntime
import KernelTemplates

/// The eigendecomposition A = V·Λ·Vᵀ of a symmetric matrix, Λ diagonal, VᵀV = I.
///
///     let eigen = SymmetricEigen(a)
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
  /// Whether the decomposition exists; if not, all numbers are NaN.
  public private(set) var status = EigenStatus.converged

  /// Decomposes `a`.
  ///
  /// - Parameters:
  ///   - a: symmetric; only one triangle is read.
  ///   - triangle: the triangle that is read.
  ///   - backend: what computes it.
  ///   - threads: the most threads to use, at least 1.
  public init(
    _ a: Matrix<Scalar>, triangle: Triangle = .lower, on backend: any Backend = NativeBackend(),
    threads: Int = Threads.available
  ) {
    values = [Scalar](repeating: 0, count: a.rows)
    // Eigenvectors along memory: the backends make them in rows.
    vectors = Matrix(uninitialized: a.rows, a.rows).transposed
    update(a, triangle: triangle, on: backend, threads: threads)
  }

  /// Decomposes another matrix, of the same order, in the memory of this value; the parameters are those of
  /// ``init(_:triangle:on:threads:)``. Nothing is allocated.
  @specialized(where Scalar == Float) @specialized(where Scalar == Double)
  public mutating func update(
    _ a: Matrix<Scalar>, triangle: Triangle = .lower, on backend: any Backend = NativeBackend(),
    threads: Int = Threads.available
  ) {
    requireThreads(threads, "SymmetricEigen")
    require(a.rows == a.columns, "SymmetricEigen: A is \(a.rows)×\(a.columns); it must be square")
    let n = values.count
    require(
      a.rows == n,
      "SymmetricEigen: A is \(a.rows)×\(a.columns); it must be \(n)×\(n), as the first one was")
    status = .converged
    if n == 0 { return }
    status = vectors.withMutablePointer(discarding: true) { vectors in
      values.withUnsafeMutableBufferPointer { values in
        a.withPointer { a in
          backend.symmetricEigen(
            SymmetricEigenCall(
              a: a, triangle: triangle, vectors: vectors, values: values.baseAddress!),
            threads: threads)
        }
      }
    }
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
