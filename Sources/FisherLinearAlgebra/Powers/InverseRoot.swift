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
///     var root = InverseRoot(gram, p: 4, damping: .relative(1e-6))
///     if root.residual < 1e-2 { preconditioner = root.matrix }
///     root.update(nextGram, p: 4, damping: .relative(1e-6))       // in the same memory
public struct InverseRoot<Scalar: KernelScalar>: Sendable {
  /// X. Not a number where A + λ·I is not positive definite and its eigenvalues are not raised.
  public private(set) var matrix: Matrix<Scalar>
  /// max |Xᵖ·(A + λ·I) − I|, computed from X: about n·u·κ for a good root, u the unit roundoff and κ the condition. NaN if
  /// there is none. With raised eigenvalues it tells how far those were from what A says.
  public private(set) var residual: Scalar = .nan
  /// How many eigenvalues were raised to the floor.
  public private(set) var raised = 0
  /// How many Newton iterations were made.
  public private(set) var iterations = 0

  /// Computes the root.
  ///
  /// - Parameters:
  ///   - a: symmetric; the eigendecomposition reads its lower triangle, the iteration both.
  ///   - p: at least 1.
  ///   - damping: λ.
  ///   - method: what to compute it by. Eigenvalues are accurate to n·u·‖A‖, so the floor or λ should not be below that.
  ///   - backend: what computes it.
  ///   - threads: the most threads to use, at least 1.
  public init(
    _ a: Matrix<Scalar>, p: Int, damping: Damping<Scalar> = .none,
    by method: InverseRootMethod<Scalar> = .eigen(), on backend: any Backend = NativeBackend(),
    threads: Int = Threads.available
  ) {
    matrix = Matrix(uninitialized: a.rows, a.rows)
    update(a, p: p, damping: damping, by: method, on: backend, threads: threads)
  }

  /// Computes the root of another matrix of the same order in the memory of this value: from the second call on, nothing
  /// is allocated. The parameters are those of ``init(_:p:damping:by:on:threads:)``.
  @specialized(where Scalar == Float) @specialized(where Scalar == Double)
  public mutating func update(
    _ a: Matrix<Scalar>, p: Int, damping: Damping<Scalar> = .none,
    by method: InverseRootMethod<Scalar> = .eigen(), on backend: any Backend = NativeBackend(),
    threads: Int = Threads.available
  ) {
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
    let outcome = matrix.withMutablePointer(discarding: true) { x in
      a.withPointer { a in
        ThreadContext.current.withScratch(6 * n * n + n, of: Scalar.self) { memory in
          RootCall(
            p: p, work: ScratchSquares(order: n, base: memory, backend: backend, threads: threads)
          )
          .run(a, parts, method, into: x)
        }
      }
    }
    (residual, raised, iterations) = (outcome.residual, outcome.raised, outcome.iterations)
  }
}

/// One root, with six squares and a row of scratch memory; the first square holds A + λ·I.
private struct RootCall<S: KernelScalar> {
  let p: Int
  let work: ScratchSquares<S>

  func run(
    _ a: MatrixPointer<S>, _ damping: (absolute: S, relative: S), _ method: InverseRootMethod<S>,
    into x: MutableMatrixPointer<S>
  ) -> (residual: S, raised: Int, iterations: Int) {
    var (raised, iterations) = (0, 0)
    switch method {
    case .eigen(let floor):
      load(a, damping, isSymmetric: true)
      raised = runEigen(floor, into: x)
    case .coupledNewton(let tolerance, let maxIterations):
      load(a, damping, isSymmetric: false)
      iterations = CoupledNewton(p: p, tolerance: tolerance, maxIterations: maxIterations)
        .run(work[0], into: x, work, first: 1)
      load(a, damping, isSymmetric: true)
    }
    // max |Xᵖ·A − I|
    let (power, free) = work.power(of: x, p, work[1], work[2])
    work.multiply(power, work[0], into: free)
    return (distanceFromIdentity(free), raised, iterations)
  }

  /// The first square ← A + λ·I, from the lower triangle if `isSymmetric`.
  private func load(_ a: MatrixPointer<S>, _ damping: (absolute: S, relative: S), isSymmetric: Bool) {
    let (n, target) = (work.order, work[0])
    for i in 0..<n {
      for j in 0..<n { target[i, j] = isSymmetric && j > i ? a[j, i] : a[i, j] }
    }
    if damping == (0, 0) { return }
    var trace: S = 0
    for i in 0..<n { trace += a[i, i] }
    let mean = trace / S(max(n, 1))
    for i in 0..<n {
      target[i, i] += damping.absolute + (damping.relative == 0 ? 0 : damping.relative * mean)
    }
  }

  /// X ← V·Λ^(−1/p)·Vᵀ, with the eigenvectors in rows.
  ///
  /// - Returns: how many eigenvalues were raised.
  private func runEigen(_ floor: S, into x: MutableMatrixPointer<S>) -> Int {
    let (n, rows, scaled) = (work.order, work[1], work[2])
    if n == 0 { return 0 }
    let values = work.base + 6 * n * n
    _ = work.backend.symmetricEigen(
      SymmetricEigenCall(a: work[0].readOnly, vectors: rows.transposed, values: values),
      threads: work.threads)
    var raised = 0
    for i in 0..<n {
      if values[i] < floor { raised += 1 }
      let image = inverseRoot(max(values[i], floor))
      for j in 0..<n { scaled[i, j] = image * rows[i, j] }
    }
    work.backend.gemm(
      Gemm(alpha: 1, a: rows.transposed.readOnly, b: scaled.readOnly, beta: 0, c: x),
      threads: work.threads)
    return raised
  }

  /// λ^(−1/p); NaN for a negative λ.
  private func inverseRoot(_ value: S) -> S {
    switch p {
    case 1: 1 / value
    case 2: 1 / value.squareRoot()
    default: S(pow(Double(value), -1 / Double(p)))
    }
  }
}
