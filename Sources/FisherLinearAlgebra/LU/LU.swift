import FisherRuntime
import KernelTemplates

/// P·A = L·U with partial pivoting: L unit lower triangular with elements of at most 1, U upper triangular.
///
///     let lu = LU(a)
///     let x = lu.solve(b)
///
/// ‖P·A − L·U‖ ≤ c·n·ρ·u·‖A‖, u the unit roundoff and ρ the growth of the elements, hardly ever above 100 (Higham 2002,
/// 9.3). 2/3·n³ flops, 2·n² more for each right-hand side.
public struct LU<Scalar: KernelScalar>: Sendable {
  /// L below the diagonal and U on and above it.
  public private(set) var factors: Matrix<Scalar>
  /// Row j was exchanged with row `pivots[j]` ≥ j, in order.
  public private(set) var pivots: [Int]
  /// The first j for which uⱼⱼ is 0 or NaN: A is singular. The factorization is complete all the same, but solutions hold
  /// infinities and NaNs.
  public private(set) var singularPivot: Int?
  /// ‖A‖₁, the largest sum of magnitudes of a column.
  public private(set) var norm: Scalar = 0

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
    norm = a.withPointer { columnSumNorm($0) }
    singularPivot = factors.withMutablePointer(discarding: true) { target in
      a.withPointer { backend.copy($0, to: target) }
      return pivots.withUnsafeMutableBufferPointer { pivots in
        guard let base = pivots.baseAddress, !pivots.isEmpty else { return nil }
        return backend.factorLU(LUFactors(a: target, pivots: base), threads: threads)
      }
    }
  }

  /// B ← A⁻¹·B, or A⁻ᵀ·B, in place.
  ///
  /// - Parameters:
  ///   - b: n × r for a square A of order n.
  ///   - transposed: solve with Aᵀ.
  ///   - backend: what computes it.
  ///   - threads: the most threads to use, at least 1.
  @specialized(where Scalar == Float) @specialized(where Scalar == Double)
  public func solve(
    inPlace b: inout Matrix<Scalar>, transposed: Bool = false,
    on backend: any Backend = NativeBackend(),
    threads: Int = Threads.available
  ) {
    requireRightSide(b.rows, b.columns, threads)
    if b.isEmpty { return }
    b.withMutablePointer { x in
      withFactors { backend.solveLU($0, transposed: transposed, x, threads: threads) }
    }
  }

  /// A⁻¹·B, or A⁻ᵀ·B.
  ///
  /// - Parameters:
  ///   - b: n × r for a square A of order n.
  ///   - transposed: solve with Aᵀ.
  ///   - backend: what computes it.
  ///   - threads: the most threads to use, at least 1.
  @specialized(where Scalar == Float) @specialized(where Scalar == Double)
  public func solve(
    _ b: Matrix<Scalar>, transposed: Bool = false, on backend: any Backend = NativeBackend(),
    threads: Int = Threads.available
  ) -> Matrix<Scalar> {
    requireRightSide(b.rows, b.columns, threads)
    return Matrix(
      rows: b.rows, columns: b.columns,
      unsafeUninitialized: { x in
        b.withPointer { backend.copy($0, to: x) }
        if !b.isEmpty {
          withFactors { backend.solveLU($0, transposed: transposed, x, threads: threads) }
        }
      })
  }

  /// A⁻¹. About 2·n³ flops beside the factorization.
  @specialized(where Scalar == Float) @specialized(where Scalar == Double)
  public func inverse(
    on backend: any Backend = NativeBackend(), threads: Int = Threads.available
  ) -> Matrix<Scalar> {
    requireSquare("LU.inverse", threads)
    return Matrix(
      rows: factors.rows, columns: factors.rows,
      unsafeUninitialized: { x in
        if x.rows > 0 { withFactors { backend.invertLU($0, into: x, threads: threads) } }
      })
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
    if factors.rows == 0 { return 1 }
    return withFactors { backend.reciprocalConditionLU($0, norm: norm, threads: threads) }
  }

  /// X ← A⁻¹, X n × n.
  @specialized(where Scalar == Float) @specialized(where Scalar == Double)
  public func inverse(
    into x: inout Matrix<Scalar>, on backend: any Backend = NativeBackend(),
    threads: Int = Threads.available
  ) {
    requireSquare("LU.inverse", threads)
    let n = factors.rows
    require(
      x.rows == n && x.columns == n, "LU.inverse: A is \(n)×\(n) and X is \(x.rows)×\(x.columns)")
    if n == 0 { return }
    x.withMutablePointer(discarding: true) { x in
      withFactors { backend.invertLU($0, into: x, threads: threads) }
    }
  }

  private func requireRightSide(_ rows: Int, _ columns: Int, _ threads: Int) {
    requireSquare("LU.solve", threads)
    require(
      rows == factors.rows,
      "LU.solve: A is \(factors.rows)×\(factors.columns) and B is \(rows)×\(columns); they need the same rows"
    )
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

/// ‖A‖₁; NaN if an element is.
@specialized(where S == Float) @specialized(where S == Double)
func columnSumNorm<S: KernelScalar>(_ a: MatrixPointer<S>) -> S {
  var largest: S = 0
  for j in 0..<a.columns {
    var sum: S = 0
    for i in 0..<a.rows { sum += abs(a[i, j]) }
    if !(sum <= largest) { largest = sum }
    if largest.isNaN { return largest }
  }
  return largest
}
