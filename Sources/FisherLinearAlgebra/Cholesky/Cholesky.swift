import FisherRuntime
public import KernelTemplates

/// The Cholesky factor of a symmetric positive definite matrix: A + λI = L·Lᵀ = Uᵀ·U.
///
///     let factor = try Cholesky(a, damping: .relative(1e-3))
///     factor.solve(&b)
///
/// A value: copies share the factor until one of them is changed.
public struct Cholesky<Scalar: KernelScalar>: Sendable {
  /// U, n × n, with zeros below the diagonal.
  public internal(set) var upper: Matrix<Scalar>
  /// How many pivots were replaced; 0 unless a correction was asked for.
  public internal(set) var corrections: Int
  /// Where the next factorization goes, so that a failed one leaves this one whole.
  var spare: Matrix<Scalar>?

  /// L = Uᵀ, without copying.
  public var lower: Matrix<Scalar> { upper.transposed }

  /// n
  public var order: Int { upper.rows }

  /// Factors A + λI. n³/3 flops.
  ///
  /// The residual |A + λI − Uᵀ·U| is at most about (n + 8)·u·|Uᵀ|·|U| in every element, u the unit roundoff
  /// (N. J. Higham, Accuracy and Stability of Numerical Algorithms, theorem 10.3).
  ///
  /// - Parameters:
  ///   - a: A, n × n. Only one triangle of it is read.
  ///   - triangle: the half that is read.
  ///   - damping: λ, at least 0.
  ///   - correction: how pivots that are too small are replaced; nil to refuse the matrix.
  ///   - backend: what computes it.
  ///   - threads: the most threads to use, at least 1.
  /// - Throws: ``FactorizationError/notPositiveDefinite(pivot:)`` with the first pivot that is not above 0, NaN included.
  @specialized(where Scalar == Float) @specialized(where Scalar == Double)
  public init(
    _ a: Matrix<Scalar>, reading triangle: Triangle = .lower, damping: Damping<Scalar> = .none,
    correction: PivotCorrection<Scalar>? = nil, on backend: any Backend = NativeBackend(),
    threads: Int = Threads.available
  ) throws(FactorizationError) {
    upper = Matrix(rows: a.rows, columns: a.rows)
    corrections = try Self.factor(a, triangle, damping, correction, into: &upper, backend, threads)
  }

  /// Factors another matrix, of the same order, in the memory of this value; the parameters are those of
  /// ``init(_:reading:damping:correction:on:threads:)``. From the second call on nothing is allocated.
  ///
  /// - Throws: what the initializer throws; then this value is as it was.
  @specialized(where Scalar == Float) @specialized(where Scalar == Double)
  public mutating func refactorize(
    _ a: Matrix<Scalar>, reading triangle: Triangle = .lower, damping: Damping<Scalar> = .none,
    correction: PivotCorrection<Scalar>? = nil, on backend: any Backend = NativeBackend(),
    threads: Int = Threads.available
  ) throws(FactorizationError) {
    require(
      a.rows == order,
      "Cholesky.refactorize: A is \(a.rows)×\(a.columns); it must be \(order)×\(order), as the first one was")
    try replaceFactor { (target) throws(FactorizationError) in
      try Self.factor(a, triangle, damping, correction, into: &target, backend, threads)
    }
  }

  /// Has another factor made in the spare memory, which becomes this value's if that succeeds.
  mutating func replaceFactor(
    _ make: (_ target: inout Matrix<Scalar>) throws(FactorizationError) -> Int
  ) throws(FactorizationError) {
    var target = spare ?? Matrix(rows: order, columns: order)
    spare = nil
    defer { spare = target }
    corrections = try make(&target)
    swap(&upper, &target)
  }

  /// - Returns: how many pivots were replaced.
  private static func factor(
    _ a: Matrix<Scalar>, _ triangle: Triangle, _ damping: Damping<Scalar>,
    _ correction: PivotCorrection<Scalar>?, into target: inout Matrix<Scalar>, _ backend: any Backend,
    _ threads: Int
  ) throws(FactorizationError) -> Int {
    requireThreads(threads, "Cholesky")
    require(a.rows == a.columns, "Cholesky: A is \(a.rows)×\(a.columns); it must be square")
    let (absolute, relative) = damping.checkedParts("Cholesky")
    let outcome = a.withPointer { a in
      target.withMutablePointer { target in
        backend.potrf(
          Potrf(
            source: triangle == .upper ? a : a.transposed, target: target, triangle: .upper,
            absolute: absolute, relative: relative, correction: correction), threads: threads)
      }
    }
    return try outcome.counted()
  }
}
