import FisherRuntime
import KernelTemplates

/// A = Q·R by Householder's reflectors: Q orthogonal, R upper triangular.
///
///     let qr = QR(a)
///     let basis = qr.q()            // orthonormal columns that span those of A
///     let x = try qr.solving(b)     // least squares, if the columns of A are independent
///
/// ‖A − Q·R‖ ≤ c·m·n·u·‖A‖ column by column, and Q differs from an orthogonal matrix by c·m·n·u, u the unit roundoff (Higham
/// 2002, 19.3). Signs on the diagonal of R are as they come. 2·n²·(m − n/3) flops for m ≥ n. Where columns may depend on each
/// other, or m < n, ``PivotedQR`` finds the rank and the shortest solution.
public struct QR<Scalar: KernelScalar>: Sendable {
  /// R on and above the diagonal, the reflectors below.
  public private(set) var factors: Matrix<Scalar>
  /// The factors τ of the reflectors.
  public private(set) var tau: [Scalar]

  /// Factorizes `a`, of any shape.
  ///
  /// - Parameters:
  ///   - a: m × n.
  ///   - backend: what computes it.
  ///   - threads: the most threads to use, at least 1.
  public init(
    _ a: Matrix<Scalar>, on backend: any Backend = NativeBackend(), threads: Int = Threads.available
  ) {
    self.init(placeFor: a)
    refactorize(a, on: backend, threads: threads)
  }

  /// Factorizes another matrix, of the same shape, in the memory of this value; the parameters are those of
  /// ``init(_:on:threads:)``. Nothing is allocated.
  @specialized(where Scalar == Float) @specialized(where Scalar == Double)
  public mutating func refactorize(
    _ a: Matrix<Scalar>, on backend: any Backend = NativeBackend(), threads: Int = Threads.available
  ) {
    factor(a, on: backend, threads) { backend.factorQR($0, threads: threads) }
  }

  /// Room for the factors of a matrix of this shape.
  init(placeFor a: borrowing Matrix<Scalar>) {
    tau = [Scalar](repeating: 0, count: min(a.rows, a.columns))
    // Columns along memory: reflectors are columns.
    factors = Matrix(uninitialized: a.columns, a.rows).transposed
  }

  /// Copies A into place, and has it factored there.
  mutating func factor(
    _ a: Matrix<Scalar>, on backend: any Backend, _ threads: Int, by body: (QRFactors<Scalar>) -> Void
  ) {
    requireThreads(threads, "QR")
    require(
      a.rows == factors.rows && a.columns == factors.columns,
      "QR.refactorize: A is \(a.rows)×\(a.columns); it must be \(factors.rows)×\(factors.columns), as before"
    )
    factors.withMutablePointer(discarding: true) { target in
      a.withPointer { backend.copy($0, to: target) }
      tau.withUnsafeMutableBufferPointer { tau in
        guard let base = tau.baseAddress, !tau.isEmpty else { return }
        body(QRFactors(a: target, tau: base))
      }
    }
  }

  /// R: min(m, n) × n, upper triangular.
  public var r: Matrix<Scalar> {
    Matrix(rows: tau.count, columns: factors.columns) { i, j in j < i ? 0 : factors[i, j] }
  }

  /// The first min(m, n) columns of Q, or all m.
  @specialized(where Scalar == Float) @specialized(where Scalar == Double)
  public func q(
    full: Bool = false, on backend: any Backend = NativeBackend(), threads: Int = Threads.available
  ) -> Matrix<Scalar> {
    requireThreads(threads, "QR.q")
    let m = factors.rows
    let rows = Matrix<Scalar>(
      rows: full ? m : tau.count, columns: m,
      unsafeUninitialized: { q in
        for i in 0..<q.rows { for j in 0..<m { q[i, j] = i == j ? 1 : 0 } }
        withFactors {
          backend.applyQ(
            $0, transposed: false, to: q.transposed, isIdentity: true, threads: threads)
        }
      })
    return rows.transposed
  }

  /// Q·C, or Qᵀ·C, with the m × m matrix Q. 4·m·k·r flops at most.
  ///
  /// - Parameters:
  ///   - transposed: apply Qᵀ.
  ///   - c: m × r.
  ///   - backend: what computes it.
  ///   - threads: the most threads to use, at least 1.
  @specialized(where Scalar == Float) @specialized(where Scalar == Double)
  public func applyQ(
    transposed: Bool = false, to c: Matrix<Scalar>, on backend: any Backend = NativeBackend(),
    threads: Int = Threads.available
  ) -> Matrix<Scalar> {
    requireThreads(threads, "QR.applyQ")
    require(
      c.rows == factors.rows,
      "QR.applyQ: A is \(factors.rows)×\(factors.columns) and C is \(c.rows)×\(c.columns); they need the same rows"
    )
    let rows = Matrix<Scalar>(
      rows: c.columns, columns: c.rows,
      unsafeUninitialized: { target in
        c.withPointer { backend.copy($0.transposed, to: target) }
        withFactors {
          backend.applyQ(
            $0, transposed: transposed, to: target.transposed, isIdentity: false, threads: threads)
        }
      })
    return rows.transposed
  }

  /// Q·R, the matrix that was factored, up to rounding.
  public func reconstructed(
    on backend: any Backend = NativeBackend(), threads: Int = Threads.available
  ) -> Matrix<Scalar> {
    let upper = Matrix(rows: factors.rows, columns: factors.columns) { i, j in j < i ? 0 : factors[i, j] }
    return applyQ(to: upper, on: backend, threads: threads)
  }

  /// Lends the factors to routines that only read them; does nothing if there are no reflectors.
  private func withFactors(_ body: (QRFactors<Scalar>) -> Void) {
    withExtendedLifetime(factors.storage) {
      tau.withUnsafeBufferPointer { tau in
        guard let base = tau.baseAddress, !tau.isEmpty else { return }
        body(QRFactors(a: factors.mutablePointer, tau: UnsafeMutablePointer(mutating: base)))
      }
    }
  }
}
