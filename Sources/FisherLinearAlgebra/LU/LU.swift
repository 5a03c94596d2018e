import FisherRuntime
import KernelTemplates

/// P·A = L·U with partial pivoting: L unit lower triangular with elements of at most 1, U upper triangular.
///
///     let lu = LU(a)
///     let x = try lu.solving(b)
///
/// ‖P·A − L·U‖ ≤ c·n·ρ·u·‖A‖, u the unit roundoff and ρ the growth of the elements, hardly ever above 100 (Higham 2002,
/// 9.3). 2/3·n³ flops, 2·n² more for each right-hand side.
public struct LU<Scalar: KernelScalar>: Sendable {
  /// L below the diagonal and U on and above it.
  public private(set) var factors: Matrix<Scalar>
  /// Row j was exchanged with row `pivots[j]` ≥ j, in order.
  public private(set) var pivots: [Int]
  /// The first j for which uⱼⱼ is 0 or NaN: A is singular. The factorization is complete all the same, but there are no
  /// solutions.
  public private(set) var singularPivot: Int?
  /// ‖A‖₁, the largest sum of magnitudes of a column.
  public var norm: Scalar { scaledNorm.scaled(byPowerOfTwo: normExponent) }
  /// ‖A‖₁ / 2ᵉ and e, which is 0 in the middle of the range: ‖A‖₁ may overflow though no element does.
  private var scaledNorm: Scalar = 0
  private var normExponent = 0

  /// Factorizes `a`, of any shape.
  ///
  /// - Parameters:
  ///   - a: m × n.
  ///   - backend: what computes it.
  ///   - threads: the most threads to use, at least 1.
  public init(
    _ a: Matrix<Scalar>, on backend: any Backend = NativeBackend(), threads: Int = Threads.available
  ) {
    factors = Matrix(uninitialized: a.rows, a.columns)
    pivots = [Int](repeating: 0, count: min(a.rows, a.columns))
    refactorize(a, on: backend, threads: threads)
  }

  /// Factorizes another matrix, of the same shape, in the memory of this value; the parameters are those of
  /// ``init(_:on:threads:)``. Nothing is allocated.
  @specialized(where Scalar == Float) @specialized(where Scalar == Double)
  public mutating func refactorize(
    _ a: Matrix<Scalar>, on backend: any Backend = NativeBackend(), threads: Int = Threads.available
  ) {
    requireThreads(threads, "LU")
    require(
      a.rows == factors.rows && a.columns == factors.columns,
      "LU.refactorize: A is \(a.rows)×\(a.columns); it must be \(factors.rows)×\(factors.columns), as before"
    )
    (scaledNorm, normExponent) = a.withPointer { Self.norm(of: $0) }
    singularPivot = factors.withMutablePointer(discarding: true) { target in
      a.withPointer { backend.copy($0, to: target) }
      return pivots.withUnsafeMutableBufferPointer { pivots in
        guard let base = pivots.baseAddress, !pivots.isEmpty else { return nil }
        return backend.factorLU(LUFactors(a: target, pivots: base), threads: threads)
      }
    }
  }

  /// B ← A⁻¹·B, or A⁻ᵀ·B.
  ///
  /// - Parameters:
  ///   - b: n × r for a square A of order n.
  ///   - transposed: solve with Aᵀ.
  ///   - backend: what computes it.
  ///   - threads: the most threads to use, at least 1.
  /// - Throws: ``FactorizationError/singular(pivot:)`` with the ``singularPivot``; then B is as it was. How far a solution can
  ///   be trusted, ``reciprocalCondition(on:threads:)`` says.
  @specialized(where Scalar == Float) @specialized(where Scalar == Double)
  public func solve(
    _ b: inout Matrix<Scalar>, transposed: Bool = false, on backend: any Backend = NativeBackend(),
    threads: Int = Threads.available
  ) throws(FactorizationError) {
    requireSquare("LU.solve", threads)
    require(
      b.rows == factors.rows,
      "LU.solve: A is \(factors.rows)×\(factors.columns) and B is \(b.rows)×\(b.columns); they need the same rows"
    )
    try requireRegular()
    if b.isEmpty { return }
    b.withMutablePointer { x in
      withFactors { backend.solveLU($0, transposed: transposed, x, threads: threads) }
    }
  }

  /// A⁻¹·B, or A⁻ᵀ·B; parameters and errors as of ``solve(_:transposed:on:threads:)``.
  @specialized(where Scalar == Float) @specialized(where Scalar == Double)
  public func solving(
    _ b: Matrix<Scalar>, transposed: Bool = false, on backend: any Backend = NativeBackend(),
    threads: Int = Threads.available
  ) throws(FactorizationError) -> Matrix<Scalar> {
    var x = b
    try solve(&x, transposed: transposed, on: backend, threads: threads)
    return x
  }

  /// A⁻¹. About 2·n³ flops beside the factorization.
  ///
  /// - Throws: ``FactorizationError/singular(pivot:)`` with the ``singularPivot``.
  public func inverse(
    on backend: any Backend = NativeBackend(), threads: Int = Threads.available
  ) throws(FactorizationError) -> Matrix<Scalar> {
    var x = Matrix<Scalar>(uninitialized: factors.rows, factors.rows)
    try inverse(into: &x, on: backend, threads: threads)
    return x
  }

  /// X ← A⁻¹, X n × n.
  ///
  /// - Throws: ``FactorizationError/singular(pivot:)`` with the ``singularPivot``; then X is as it was.
  @specialized(where Scalar == Float) @specialized(where Scalar == Double)
  public func inverse(
    into x: inout Matrix<Scalar>, on backend: any Backend = NativeBackend(),
    threads: Int = Threads.available
  ) throws(FactorizationError) {
    requireSquare("LU.inverse", threads)
    let n = factors.rows
    require(
      x.rows == n && x.columns == n, "LU.inverse: A is \(n)×\(n) and X is \(x.rows)×\(x.columns)")
    try requireRegular()
    if n == 0 { return }
    x.withMutablePointer(discarding: true) { x in
      withFactors { backend.invertLU($0, into: x, threads: threads) }
    }
  }

  /// Pᵀ·L·U, the matrix that was factored, up to rounding.
  public func reconstructed(
    on backend: any Backend = NativeBackend(), threads: Int = Threads.available
  ) -> Matrix<Scalar> {
    let k = pivots.count
    let lower = Matrix(rows: factors.rows, columns: k) { i, j in i == j ? 1 : i > j ? factors[i, j] : 0 }
    let upper = Matrix(rows: k, columns: factors.columns) { i, j in i <= j ? factors[i, j] : 0 }
    var a = lower.multiplied(by: upper, on: backend, threads: threads)
    for (i, pivot) in pivots.enumerated().reversed() where pivot != i {
      let row = a.row(i).compacted().array
      a[rows: i..<i + 1, columns: 0...] = a.row(pivot)
      a[rows: pivot..<pivot + 1, columns: 0...] = Matrix(row, rows: 1, columns: row.count)
    }
    return a
  }

  /// The determinant as its sign, −1, 0, 1 or NaN, and the natural logarithm of its magnitude: it would overflow or
  /// underflow itself for all but small matrices.
  public var determinant: (sign: Scalar, logMagnitude: Scalar) {
    requireSquare("LU.determinant", 1)
    var (sign, sum): (Scalar, Double) = (1, 0)
    for j in 0..<factors.rows {
      let pivot = factors[j, j]
      if pivot == 0 { return (0, -.infinity) }
      if pivot.isNaN { return (.nan, .nan) }
      if (pivot < 0) != (pivots[j] != j) { sign.negate() }
      sum += log(Double(abs(pivot)))
    }
    return (sign, Scalar(sum))
  }

  /// 1/(‖A‖₁·‖A⁻¹‖₁), ‖A⁻¹‖₁ estimated from at most twelve solutions (Higham 1988): an upper bound, hardly ever more than
  /// three times the true value. 0 for a singular matrix.
  @specialized(where Scalar == Float) @specialized(where Scalar == Double)
  public func reciprocalCondition(
    on backend: any Backend = NativeBackend(), threads: Int = Threads.available
  ) -> Scalar {
    requireSquare("LU.reciprocalCondition", threads)
    let n = factors.rows
    if n == 0 { return 1 }
    let exponent = normExponent
    if exponent == 0 {
      return withFactors { backend.reciprocalConditionLU($0, norm: norm, threads: threads) }
    }
    // ‖A⁻¹‖, or ‖A‖, may leave the range where their product is a number: the condition is that of A / 2ᵉ.
    return ThreadContext.current.withScratch(n * n, of: Scalar.self) { scratch in
      let scaled = MutableMatrixPointer(scratch, rows: n, columns: n, rowStride: n, columnStride: 1)
      return withFactors { whole in
        for i in 0..<n {
          for j in 0..<n {
            scaled[i, j] = i > j ? whole.a[i, j] : whole.a[i, j].scaled(byPowerOfTwo: -exponent)
          }
        }
        return backend.reciprocalConditionLU(
          LUFactors(a: scaled, pivots: whole.pivots), norm: scaledNorm, threads: threads)
      }
    }
  }

  private func requireRegular() throws(FactorizationError) {
    if let singularPivot { throw .singular(pivot: singularPivot) }
  }

  private func requireSquare(_ operation: StaticString, _ threads: Int) {
    requireThreads(threads, operation)
    require(
      factors.rows == factors.columns,
      "\(operation): A is \(factors.rows)×\(factors.columns); it must be square")
  }

  /// Lends the factors to routines that only read them.
  private func withFactors<R>(_ body: (LUFactors<Scalar>) -> R) -> R {
    withExtendedLifetime(factors.storage) {
      pivots.withUnsafeBufferPointer { pivots in
        body(
          LUFactors(
            a: factors.mutablePointer, pivots: UnsafeMutablePointer(mutating: pivots.baseAddress!)))
      }
    }
  }
}

extension LU {
  /// ‖A‖₁ as a number and an exponent of 2; NaN if an element is.
  private static func norm(of a: MatrixPointer<Scalar>) -> (Scalar, Int) {
    let norm = columnSumNorm(a)
    let middle = Int(Scalar.greatestFiniteMagnitude.exponent) / 2
    if norm.isNaN || norm == 0 { return (norm, 0) }
    if norm.isFinite {
      return abs(Int(norm.exponent)) < middle ? (norm, 0) : (norm.significand, Int(norm.exponent))
    }
    // The sum of up to 2⁶² elements.
    let smaller = columnSumNorm(a, scale: Scalar(1).scaled(byPowerOfTwo: -62))
    return smaller.isFinite ? (smaller.significand, Int(smaller.exponent) + 62) : (norm, 0)
  }
}

/// ‖A·scale‖₁; NaN if an element is.
@specialized(where S == Float) @specialized(where S == Double)
func columnSumNorm<S: KernelScalar>(_ a: MatrixPointer<S>, scale: S = 1) -> S {
  var largest: S = 0
  for j in 0..<a.columns {
    var sum: S = 0
    for i in 0..<a.rows { sum += abs(a[i, j] * scale) }
    if !(sum <= largest) { largest = sum }
    if largest.isNaN { return largest }
  }
  return largest
}
