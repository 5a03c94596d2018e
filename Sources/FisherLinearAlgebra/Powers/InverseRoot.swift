import Foundation
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
///     let root = InverseRoot(gram, p: 4, damping: .relative(1e-6))
///     if root.residual < 1e-2 { preconditioner = root.matrix }
public struct InverseRoot<Scalar: KernelScalar>: Sendable {
  /// X. Not a number where A + λ·I is not positive definite and its eigenvalues are not raised.
  public let matrix: Matrix<Scalar>
  /// max |Xᵖ·(A + λ·I) − I|, computed from X: about n·u·κ for a good root, u the unit roundoff and κ the condition. NaN if
  /// there is none. With raised eigenvalues it tells how far those were from what A says.
  public let residual: Scalar
  /// How many eigenvalues were raised to the floor.
  public let raised: Int
  /// How many Newton iterations were made.
  public let iterations: Int

  /// Computes the root.
  ///
  /// - Parameters:
  ///   - a: symmetric; the eigendecomposition reads its lower triangle, the iteration both.
  ///   - p: at least 1.
  ///   - damping: λ.
  ///   - method: what to compute it by. Eigenvalues are accurate to n·u·‖A‖, so the floor or λ should not be below that.
  ///   - backend: what computes it.
  ///   - threads: the most threads to use, at least 1.
  @specialized(where Scalar == Float) @specialized(where Scalar == Double)
  public init(
    _ a: Matrix<Scalar>, p: Int, damping: Damping<Scalar> = .none,
    by method: InverseRootMethod<Scalar> = .eigen(), on backend: any Backend = NativeBackend(),
    threads: Int = Threads.available
  ) {
    requireThreads(threads, "InverseRoot")
    require(a.rows == a.columns, "InverseRoot: A is \(a.rows)×\(a.columns); it must be square")
    require(p >= 1, "InverseRoot: p is \(p); it must be at least 1")
    let damped = Self.damped(a, damping)
    switch method {
    case .eigen(let floor):
      require(floor >= 0, "InverseRoot: the floor is \(floor); it must be at least 0")
      let eigen = SymmetricEigen(damped, on: backend, threads: threads)
      raised = eigen.values.reduce(0) { $0 + ($1 < floor ? 1 : 0) }
      matrix = eigen.function(on: backend, threads: threads) { Self.inverseRoot(max($0, floor), p) }
      iterations = 0
    case .coupledNewton(let tolerance, let maxIterations):
      var newton = CoupledNewton(damped, p: p, backend: backend, threads: threads)
      newton.run(tolerance: tolerance, maxIterations: maxIterations)
      (matrix, iterations, raised) = (newton.x, newton.iterations, 0)
    }
    residual = Self.residual(damped, matrix, p, backend, threads)
  }

  /// λ^(−1/p); NaN for a negative λ.
  private static func inverseRoot(_ value: Scalar, _ p: Int) -> Scalar {
    switch p {
    case 1: 1 / value
    case 2: 1 / value.squareRoot()
    default: Scalar(pow(Double(value), -1 / Double(p)))
    }
  }

  private static func damped(_ a: Matrix<Scalar>, _ damping: Damping<Scalar>) -> Matrix<Scalar> {
    let (absolute, relative) = damping.parts
    require(
      absolute >= 0 && relative >= 0, "InverseRoot: damping is \(damping); it must be at least 0")
    if absolute == 0 && relative == 0 { return a }
    let n = a.rows
    let mean = (0..<n).reduce(Scalar(0)) { $0 + a[$1, $1] } / Scalar(max(n, 1))
    var damped = a
    for i in 0..<n { damped[i, i] += absolute + (relative == 0 ? 0 : relative * mean) }
    return damped
  }

  /// max |Xᵖ·A − I|
  private static func residual(
    _ a: Matrix<Scalar>, _ x: Matrix<Scalar>, _ p: Int, _ backend: any Backend, _ threads: Int
  ) -> Scalar {
    let product = matrixPower(x, p, backend, threads).multiplied(
      by: symmetric(a), on: backend, threads: threads)
    return distanceFromIdentity(product)
  }

  /// The matrix with its upper triangle made from the lower.
  private static func symmetric(_ a: Matrix<Scalar>) -> Matrix<Scalar> {
    Matrix(rows: a.rows, columns: a.columns) { i, j in a[max(i, j), min(i, j)] }
  }
}

/// Aᵖ by squaring, p ≥ 1.
func matrixPower<S: KernelScalar>(
  _ a: Matrix<S>, _ p: Int, _ backend: any Backend, _ threads: Int
) -> Matrix<S> {
  if p == 1 { return a }
  let half = matrixPower(a, p / 2, backend, threads)
  let square = half.multiplied(by: half, on: backend, threads: threads)
  return p % 2 == 0 ? square : square.multiplied(by: a, on: backend, threads: threads)
}

/// max |A − I|; NaN if an element is.
@specialized(where S == Float) @specialized(where S == Double)
func distanceFromIdentity<S: KernelScalar>(_ a: Matrix<S>) -> S {
  a.withPointer { a in
    var largest: S = 0
    for i in 0..<a.rows {
      for j in 0..<a.columns {
        let distance = abs(a[i, j] - (i == j ? 1 : 0))
        if distance.isNaN { return .nan }
        largest = max(largest, distance)
      }
    }
    return largest
  }
}
