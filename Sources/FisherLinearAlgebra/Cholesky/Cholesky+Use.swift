import FisherRuntime
public import KernelTemplates

extension Cholesky {
  /// B ← A⁻¹·B, B with n rows. 2·n² flops a column. The backward error is a few n·u (Higham, theorem 10.4).
  @specialized(where Scalar == Float) @specialized(where Scalar == Double)
  public func solve(
    _ b: inout Matrix<Scalar>, on backend: any Backend = NativeBackend(), threads: Int = Threads.available
  ) {
    require(b.rows == order, "Cholesky.solve: A is \(order)×\(order) and B is \(b.rows)×\(b.columns)")
    trsm(lower, triangle: .lower, into: &b, on: backend, threads: threads)
    trsm(upper, triangle: .upper, into: &b, on: backend, threads: threads)
  }

  /// A⁻¹·B
  public func solving(
    _ b: Matrix<Scalar>, on backend: any Backend = NativeBackend(), threads: Int = Threads.available
  ) -> Matrix<Scalar> {
    var x = b
    solve(&x, on: backend, threads: threads)
    return x
  }

  /// A⁻¹, exactly symmetric. 2·n³/3 flops.
  public func inverse(
    on backend: any Backend = NativeBackend(), threads: Int = Threads.available
  ) -> Matrix<Scalar> {
    var result = Matrix<Scalar>(uninitialized: order, order)
    inverse(into: &result, on: backend, threads: threads)
    return result
  }

  /// X ← A⁻¹, X n × n.
  @specialized(where Scalar == Float) @specialized(where Scalar == Double)
  public func inverse(
    into x: inout Matrix<Scalar>, on backend: any Backend = NativeBackend(),
    threads: Int = Threads.available
  ) {
    requireThreads(threads, "Cholesky.inverse")
    require(
      x.rows == order && x.columns == order,
      "Cholesky.inverse: A is \(order)×\(order) and X is \(x.rows)×\(x.columns)")
    upper.withPointer { u in
      x.withMutablePointer(discarding: true) { x in
        backend.potri(Potri(factor: u, target: x, triangle: .upper, mirror: true), threads: threads)
      }
    }
  }

  /// log det A = 2·Σ log uᵢᵢ, summed in double precision.
  public var logDeterminant: Scalar {
    Scalar(2 * (0..<order).reduce(0) { $0 + log(Double(upper[$1, $1])) })
  }

  /// Uᵀ·U, the matrix that was factored with its damping and corrections; exactly symmetric.
  public func reconstructed(
    on backend: any Backend = NativeBackend(), threads: Int = Threads.available
  ) -> Matrix<Scalar> {
    var a = Matrix<Scalar>(uninitialized: order, order)
    syrk(lower, into: &a, mirror: true, on: backend, threads: threads)
    return a
  }
}

extension Matrix {
  /// Makes this matrix the inverse of (A + λI) for a symmetric positive definite A of its shape.
  ///
  /// As ``invertPositiveDefinite(reading:damping:correction:on:threads:)``, without its copies.
  ///
  /// - Throws: ``FactorizationError/notPositiveDefinite(pivot:)``; then the elements are undefined.
  @discardableResult
  @specialized(where Scalar == Float) @specialized(where Scalar == Double)
  public mutating func assignInverse(
    ofPositiveDefinite a: Matrix, reading triangle: Triangle = .lower, damping: Damping<Scalar> = .none,
    correction: PivotCorrection<Scalar>? = nil, on backend: any Backend = NativeBackend(),
    threads: Int = Threads.available
  ) throws(FactorizationError) -> Int {
    requireThreads(threads, "assignInverse")
    require(
      a.rows == a.columns && rows == a.rows && columns == a.rows,
      "assignInverse: A is \(a.rows)×\(a.columns) and its inverse \(rows)×\(columns); they must be square")
    let (absolute, relative) = damping.checkedParts("assignInverse")
    let outcome = a.withPointer { a in
      withMutablePointer(discarding: true) { x in
        backend.invertPositiveDefinite(
          Potrf(
            source: triangle == .upper ? a : a.transposed, target: x, triangle: .upper, absolute: absolute,
            relative: relative, correction: correction), mirror: true, threads: threads)
      }
    }
    return try outcome.counted()
  }

  /// Replaces this symmetric positive definite matrix by the inverse of (itself + λI): factor and inverse in one sweep.
  ///
  /// n³ flops. The parameters are those of ``Cholesky/init(_:reading:damping:correction:on:threads:)``; both
  /// triangles are written, and the result is exactly symmetric.
  ///
  /// - Returns: how many pivots were replaced.
  /// - Throws: ``FactorizationError/notPositiveDefinite(pivot:)``; then the matrix is as it was.
  @discardableResult
  @specialized(where Scalar == Float) @specialized(where Scalar == Double)
  public mutating func invertPositiveDefinite(
    reading triangle: Triangle = .lower, damping: Damping<Scalar> = .none,
    correction: PivotCorrection<Scalar>? = nil, on backend: any Backend = NativeBackend(),
    threads: Int = Threads.available
  ) throws(FactorizationError) -> Int {
    requireThreads(threads, "invertPositiveDefinite")
    require(rows == columns, "invertPositiveDefinite: the matrix is \(rows)×\(columns); it must be square")
    let (absolute, relative) = damping.checkedParts("invertPositiveDefinite")
    let n = rows
    let outcome = withMutablePointer { a in
      // The result comes by way of scratch, so that a failure leaves the matrix whole.
      ThreadContext.current.withScratch(n * n, of: Scalar.self) { scratch in
        let x = MutableMatrixPointer(scratch, rows: n, columns: n, rowStride: n, columnStride: 1)
        let outcome = backend.invertPositiveDefinite(
          Potrf(
            source: (triangle == .upper ? a : a.transposed).readOnly, target: x, triangle: .upper,
            absolute: absolute, relative: relative, correction: correction), mirror: true, threads: threads)
        if outcome.firstBadPivot == nil { backend.copy(x.readOnly, to: a) }
        return outcome
      }
    }
    return try outcome.counted()
  }
}
