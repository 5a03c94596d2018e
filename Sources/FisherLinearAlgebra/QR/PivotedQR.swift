import FisherRuntime
import KernelTemplates

/// A·P = Q·R with column pivoting: |r₀₀| ≥ |r₁₁| ≥ … up to rounding, the numerical rank, and the shortest of the least-squares
/// solutions, for a matrix of any shape and rank.
///
///     let qr = try PivotedQR(a)
///     print(qr.rank, qr.permutation)
///     let x = qr.solving(b)         // least squares; the shortest solution where there are many
///
/// Below the rank k, R is taken for 0. What is left of it is brought to a triangle from the other side too,
///
///     A·P = Q·[R₁; 0] = Q·[Lᵀ 0; 0 0]·Zᵀ      R₁ᵀ = Z·L, a QR factorization of n × k
///
/// the complete orthogonal decomposition, of which the shortest solution is P·Z·[L⁻ᵀ·(Qᵀ·B)₁; 0] (G. H. Golub, C. F. Van Loan,
/// Matrix Computations, 5.5). 4·m·n·k flops at most, half of them in products of matrices and vectors.
public struct PivotedQR<Scalar: KernelScalar>: Sendable {
  /// The factors of A·P.
  private var pivoted: QR<Scalar>
  /// The factors of R₁ᵀ; nil if k = n.
  private var complete: QR<Scalar>?
  /// Column j of A·P is column `permutation[j]` of A.
  public private(set) var permutation: [Int]
  /// k, the number of |rⱼⱼ| above ``tolerance``·|r₀₀|. 0 for a matrix of zeros.
  public private(set) var rank: Int
  /// What the elements on the diagonal of R are measured by.
  public let tolerance: Scalar

  /// Factorizes `a`, of any shape.
  ///
  /// - Parameters:
  ///   - a: m × n.
  ///   - tolerance: at least 0 and below 1; nil for max(m, n)·ε. Give more where the elements of A are known to fewer digits
  ///     than the type has.
  ///   - backend: what computes it.
  ///   - threads: the most threads to use, at least 1.
  /// - Throws: ``FactorizationError/notFinite`` if an element is NaN or infinite, or the length of a column overflows.
  @specialized(where Scalar == Float) @specialized(where Scalar == Double)
  public init(
    _ a: Matrix<Scalar>, tolerance: Scalar? = nil, on backend: any Backend = NativeBackend(),
    threads: Int = Threads.available
  ) throws(FactorizationError) {
    let tolerance = tolerance ?? min(Scalar(max(a.rows, a.columns)) * .ulpOfOne, 0.5)
    require(tolerance >= 0 && tolerance < 1, "PivotedQR: the tolerance is \(tolerance); it must lie in 0..<1")
    if !a.isFinite { throw .notFinite }
    var permutation = Array(0..<a.columns)
    pivoted = QR(placeFor: a)
    pivoted.factor(a, on: backend, threads) { factors in
      permutation.withUnsafeMutableBufferPointer {
        backend.factorPivotedQR(factors, permutation: $0.baseAddress!, threads: threads)
      }
    }
    self.permutation = permutation
    self.tolerance = tolerance
    rank = 0
    rank = rank(tolerance: tolerance)
    if !(0..<pivoted.tau.count).allSatisfy({ pivoted.factors[$0, $0].isFinite }) { throw .notFinite }
    if rank < a.columns {
      let upper = pivoted.factors
      let kept = Matrix(rows: a.columns, columns: rank) { j, i in j < i ? 0 : upper[i, j] }
      complete = QR(kept, on: backend, threads: threads)
    }
  }

  /// Factorizes another matrix, of the same shape, with the same tolerance; the other parameters and the errors are those
  /// of ``init(_:tolerance:on:threads:)``. After an error this value is as it was.
  public mutating func refactorize(
    _ a: Matrix<Scalar>, on backend: any Backend = NativeBackend(), threads: Int = Threads.available
  ) throws(FactorizationError) {
    let (m, n) = (pivoted.factors.rows, pivoted.factors.columns)
    require(
      a.rows == m && a.columns == n,
      "PivotedQR.refactorize: A is \(a.rows)×\(a.columns); it must be \(m)×\(n), as before")
    self = try PivotedQR(a, tolerance: tolerance, on: backend, threads: threads)
  }

  /// The number of |rⱼⱼ| above `tolerance`·|r₀₀|, counted from the first to the last that is.
  public func rank(tolerance: Scalar) -> Int {
    let factors = pivoted.factors
    if pivoted.tau.isEmpty { return 0 }
    let bound = tolerance * abs(factors[0, 0])
    return (0..<pivoted.tau.count).first { !(abs(factors[$0, $0]) > bound) } ?? pivoted.tau.count
  }

  /// R: min(m, n) × n, upper triangular.
  public var r: Matrix<Scalar> { pivoted.r }

  /// The first min(m, n) columns of Q, or all m; the first ``rank`` of them span the columns of A.
  public func q(
    full: Bool = false, on backend: any Backend = NativeBackend(), threads: Int = Threads.available
  ) -> Matrix<Scalar> { pivoted.q(full: full, on: backend, threads: threads) }

  /// Q·C, or Qᵀ·C; see ``QR/applyQ(transposed:to:on:threads:)``.
  public func applyQ(
    transposed: Bool = false, to c: Matrix<Scalar>, on backend: any Backend = NativeBackend(),
    threads: Int = Threads.available
  ) -> Matrix<Scalar> { pivoted.applyQ(transposed: transposed, to: c, on: backend, threads: threads) }

  /// B ← the shortest of the X that minimise every column's ‖B − A·X‖₂, A taken to be of rank ``rank``.
  ///
  /// - Parameters:
  ///   - b: m × r; afterwards n × r.
  ///   - backend: what computes it.
  ///   - threads: the most threads to use, at least 1.
  public func solve(
    _ b: inout Matrix<Scalar>, on backend: any Backend = NativeBackend(), threads: Int = Threads.available
  ) { b = solving(b, on: backend, threads: threads) }

  /// The shortest of the X that minimise every column's ‖B − A·X‖₂; see ``solve(_:on:threads:)``.
  @specialized(where Scalar == Float) @specialized(where Scalar == Double)
  public func solving(
    _ b: Matrix<Scalar>, on backend: any Backend = NativeBackend(), threads: Int = Threads.available
  ) -> Matrix<Scalar> {
    let (n, k) = (permutation.count, rank)
    var y = applyQ(transposed: true, to: b, on: backend, threads: threads)[rows: 0..<k, columns: 0...]
    if let complete {
      let upper = complete.factors[rows: 0..<k, columns: 0...]
      trsm(upper.transposed, triangle: .lower, into: &y, on: backend, threads: threads)
      let kept = y
      y = complete.applyQ(
        to: Matrix(rows: n, columns: b.columns) { i, j in i < k ? kept[i, j] : 0 }, on: backend,
        threads: threads)
    } else {
      trsm(
        pivoted.factors[rows: 0..<k, columns: 0...], triangle: .upper, into: &y, on: backend, threads: threads
      )
    }
    var x = Matrix<Scalar>(rows: n, columns: b.columns)
    for (i, row) in permutation.enumerated() { x[rows: row..<row + 1, columns: 0...] = y.row(i) }
    return x
  }

  /// The n × m pseudoinverse of A (Moore and Penrose): its inverse if A is square and of full rank.
  public func pseudoinverse(
    on backend: any Backend = NativeBackend(), threads: Int = Threads.available
  ) -> Matrix<Scalar> { solving(Matrix(identity: pivoted.factors.rows), on: backend, threads: threads) }

  /// Q·R·Pᵀ, the matrix that was factored, up to rounding.
  public func reconstructed(
    on backend: any Backend = NativeBackend(), threads: Int = Threads.available
  ) -> Matrix<Scalar> {
    let product = pivoted.reconstructed(on: backend, threads: threads)
    var a = product
    for (j, column) in permutation.enumerated() {
      a[rows: 0..., columns: column..<column + 1] = product.column(j)
    }
    return a
  }
}
