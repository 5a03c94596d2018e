import FisherRuntime
import KernelTemplates

extension QR {
  /// B ← the X that minimises every column's ‖B − A·X‖₂: X = R⁻¹·(Qᵀ·B).
  ///
  /// - Parameters:
  ///   - b: m × r, m ≥ n; afterwards n × r.
  ///   - backend: what computes it.
  ///   - threads: the most threads to use, at least 1.
  /// - Throws: ``FactorizationError/singular(pivot:)`` if the columns of A depend on each other to working precision: with
  ///   them scaled to length 1, ‖R⁻¹‖₁ is estimated above 1/(4·√m·ε), or one is 0 or holds a NaN. B is then as it was.
  @specialized(where Scalar == Float) @specialized(where Scalar == Double)
  public func solve(
    _ b: inout Matrix<Scalar>, on backend: any Backend = NativeBackend(), threads: Int = Threads.available
  ) throws(FactorizationError) {
    b = try solving(b, on: backend, threads: threads)
  }

  /// The X that minimises every column's ‖B − A·X‖₂; parameters and errors as of ``solve(_:on:threads:)``.
  @specialized(where Scalar == Float) @specialized(where Scalar == Double)
  public func solving(
    _ b: Matrix<Scalar>, on backend: any Backend = NativeBackend(), threads: Int = Threads.available
  ) throws(FactorizationError) -> Matrix<Scalar> {
    let (m, n) = (factors.rows, factors.columns)
    require(m >= n, "QR.solve: A is \(m)×\(n); it needs at least as many rows as columns")
    if let pivot = findDependentColumn(on: backend, threads) { throw .singular(pivot: pivot) }
    let projected = applyQ(transposed: true, to: b, on: backend, threads: threads)
    var x = projected[rows: 0..<n, columns: 0...]
    trsm(factors[rows: 0..<n, columns: 0...], triangle: .upper, into: &x, on: backend, threads: threads)
    return x
  }

  /// A⁻¹ of a square A.
  ///
  /// - Throws: ``FactorizationError/singular(pivot:)``, as ``solve(_:on:threads:)``.
  public func inverse(
    on backend: any Backend = NativeBackend(), threads: Int = Threads.available
  ) throws(FactorizationError) -> Matrix<Scalar> {
    let (m, n) = (factors.rows, factors.columns)
    require(m == n, "QR.inverse: A is \(m)×\(n); it must be square")
    return try solving(Matrix(identity: n), on: backend, threads: threads)
  }

  /// The first column of A that depends on those before it to working precision, NaN included: |rⱼⱼ| is at most
  /// 4·√max(m, n)·ε times the length of the column. Nil if there is none; columns may depend on each other all the same,
  /// each by a little: ``solve(_:on:threads:)`` estimates that, and ``PivotedQR`` shows it.
  public var dependentColumn: Int? {
    (0..<tau.count).first { !(abs(factors[$0, $0]) > tolerance * columnLength($0)) }
  }

  /// What rounding may have put in the place of a 0, of columns of length 1.
  private var tolerance: Scalar {
    4 * Scalar(max(factors.rows, factors.columns)).squareRoot() * .ulpOfOne
  }

  /// ‖aⱼ‖₂
  private func columnLength(_ j: Int) -> Scalar {
    factors.withPointer { factors in
      NativeBackend().nrm2(
        factors.block(0, j, rows: min(j + 1, factors.rows), columns: 1).vector)
    }
  }

  /// Where the columns of A, m ≥ n, depend on each other, also if no single element of R tells.
  private func findDependentColumn(on backend: any Backend, _ threads: Int) -> Int? {
    if let column = dependentColumn { return column }
    let n = factors.columns
    if n < 2 { return nil }
    return ThreadContext.current.withScratch(n * n, of: Scalar.self) { scratch in
      // R with columns of length 1, which is neither near overflow nor near underflow.
      let scaled = MutableMatrixPointer(scratch, rows: n, columns: n, rowStride: 1, columnStride: n)
      var weakest = 0
      for j in 0..<n {
        let length = columnLength(j)
        for i in 0..<n { scaled[i, j] = i <= j ? factors[i, j] / length : 0 }
        if abs(scaled[j, j]) < abs(scaled[weakest, weakest]) { weakest = j }
      }
      let norm = InverseNormEstimate<Scalar>.estimate(order: n) { x, transposed in
        backend.trsm(
          Trsm(
            triangle: transposed ? .lower : .upper, alpha: 1,
            a: transposed ? scaled.readOnly.transposed : scaled.readOnly, b: x), threads: threads)
      }
      return norm * tolerance < 1 ? nil : weakest
    }
  }
}
