import FisherRuntime
import KernelTemplates

/// How A^(−1/p) is computed.
public enum InverseRootMethod<Scalar: KernelScalar>: Sendable {
  /// V·Λ^(−1/p)·Vᵀ. Eigenvalues below `floor`, at least 0, are raised to it and counted.
  case eigen(floor: Scalar = 0)
  /// The coupled Newton iteration, products of matrices alone, until max |M − I| < `tolerance`.
  case coupledNewton(tolerance: Scalar = 1e-6, maxIterations: Int = 100)
}

/// X = (A + λ·I)^(−1/p) for a symmetric positive definite A + λ·I, and how good it is.
///
///     var root = try InverseRoot(gram, p: 4, damping: .relative(1e-6))
///     if root.residual < 1e-2 { preconditioner = root.matrix }
///     try root.refactorize(nextGram, p: 4, damping: .relative(1e-6))       // in the same memory
public struct InverseRoot<Scalar: KernelScalar>: Sendable {
  /// X
  public private(set) var matrix: Matrix<Scalar>
  /// max |Xᵖ·(A + λ·I) − I|, computed from X: about n·u·κ for a good root, u the unit roundoff and κ the condition. With
  /// raised eigenvalues it tells how far those were from what A says. NaN if it was not to be measured.
  public private(set) var residual: Scalar = 0
  /// How many eigenvalues were raised to the floor.
  public private(set) var raised = 0
  /// How many Newton iterations were made.
  public private(set) var iterations = 0

  /// Computes the root.
  ///
  /// - Parameters:
  ///   - a: symmetric; only one triangle is read.
  ///   - p: at least 1.
  ///   - triangle: the triangle that is read.
  ///   - damping: λ.
  ///   - method: what to compute it by. Eigenvalues are accurate to n·u·‖A‖, so the floor or λ should not be below that.
  ///   - measuresResidual: whether to compute ``residual``: some log₂(p) + 1 products, which
  ///     take about as long as a root by eigenvectors.
  ///   - backend: what computes it.
  ///   - threads: the most threads to use, at least 1.
  /// - Throws: ``FactorizationError/notPositiveDefinite(pivot:)`` with the first eigenvalue whose root is not a number above
  ///   0, ``FactorizationError/notFinite`` if an element is NaN or infinite or X leaves the range, and
  ///   ``FactorizationError/notConverged`` if the iteration has come to no number.
  public init(
    _ a: Matrix<Scalar>, p: Int, reading triangle: Triangle = .lower, damping: Damping<Scalar> = .none,
    by method: InverseRootMethod<Scalar> = .eigen(), measuresResidual: Bool = true,
    on backend: any Backend = NativeBackend(), threads: Int = Threads.available
  ) throws(FactorizationError) {
    matrix = Matrix(uninitialized: a.rows, a.rows)
    try refactorize(
      a, p: p, reading: triangle, damping: damping, by: method, measuresResidual: measuresResidual,
      on: backend, threads: threads)
  }

  /// Computes the root of another matrix of the same order in the memory of this value: from the second call on, nothing
  /// is allocated. The parameters are those of ``init(_:p:reading:damping:by:measuresResidual:on:threads:)``.
  ///
  /// - Throws: what the initializer throws; then this value is as it was.
  @specialized(where Scalar == Float) @specialized(where Scalar == Double)
  public mutating func refactorize(
    _ a: Matrix<Scalar>, p: Int, reading triangle: Triangle = .lower, damping: Damping<Scalar> = .none,
    by method: InverseRootMethod<Scalar> = .eigen(), measuresResidual: Bool = true,
    on backend: any Backend = NativeBackend(), threads: Int = Threads.available
  ) throws(FactorizationError) {
    requireThreads(threads, "InverseRoot")
    require(a.rows == a.columns, "InverseRoot: A is \(a.rows)×\(a.columns); it must be square")
    let n = matrix.rows
    require(
      a.rows == n,
      "InverseRoot: A is \(a.rows)×\(a.columns); it must be \(n)×\(n), as the first one was")
    require(p >= 1, "InverseRoot: p is \(p); it must be at least 1")
    if case .eigen(let floor) = method {
      require(floor >= 0, "InverseRoot: the floor is \(floor); it must be at least 0")
    }
    let parts = damping.checkedParts("InverseRoot")
    let outcome = a.withPointer { a in
      ThreadContext.current.withScratch(7 * n * n + n, of: Scalar.self) { memory in
        var call = RootCall(
          p: p, work: ScratchSquares(order: n, base: memory, backend: backend, threads: threads),
          measuresResidual: measuresResidual)
        let outcome = call.run(triangle == .lower ? a : a.transposed, parts, method)
        if case .success = outcome { matrix.withMutablePointer(discarding: true) { call.store(to: $0) } }
        return outcome
      }
    }
    (residual, raised, iterations) = try outcome.get()
  }
}
