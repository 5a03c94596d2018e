import FisherRuntime
import KernelTemplates

/// What stands on one side of a gradient in a Kronecker-factored preconditioner: the inverse of a symmetric positive
/// definite matrix, or a power of it, in one of the forms in which optimizers keep them.
public enum KroneckerFactor<Scalar: KernelScalar>: Sendable {
  /// The identity: nothing is done on this side.
  case identity
  /// The matrix that is multiplied by: an explicit inverse A⁻¹, or a power such as A^(−1/4).
  case explicit(Matrix<Scalar>)
  /// A⁻¹ by the Cholesky factor L of A = L·Lᵀ, whose lower triangle is read.
  case cholesky(Matrix<Scalar>)

  /// Traps unless the factor fits a side of `size` elements.
  func requireSize(_ size: Int, _ name: StaticString, _ operation: StaticString) {
    switch self {
    case .identity: return
    case .explicit(let matrix), .cholesky(let matrix):
      require(
        matrix.rows == size && matrix.columns == size,
        "\(operation): the \(name) factor is \(matrix.rows)×\(matrix.columns); it must be \(size)×\(size)")
    }
  }
}

/// G′ ← L⁻¹·G·R⁻¹: the product (R ⊗ L)⁻¹·vec G of an inverse Kronecker product with a gradient, never formed.
///
/// With explicit inverses two products, one after the other for a few hundred rows at a time, so that between them lies
/// no matrix of G's size. With Cholesky factors two triangular solutions a side, in place. 2·m·n·(m + n) flops either way.
/// Source: J. Martens, R. Grosse, Optimizing Neural Networks with Kronecker-factored Approximate Curvature (2015), 4.2.
///
/// - Parameters:
///   - left: of m×m.
///   - gradient: G, m×n.
///   - right: of n×n.
///   - result: G′, m×n.
///   - backend: what computes it.
///   - threads: the most threads to use, at least 1.
@specialized(where S == Float) @specialized(where S == Double)
public func applyKronecker<S: KernelScalar>(
  left: KroneckerFactor<S>, _ gradient: Matrix<S>, right: KroneckerFactor<S>, into result: inout Matrix<S>,
  on backend: any Backend = NativeBackend(), threads: Int = Threads.available
) {
  let name: StaticString = "applyKronecker"
  requireThreads(threads, name)
  left.requireSize(gradient.rows, "left", name)
  right.requireSize(gradient.columns, "right", name)
  requireShape(result, of: gradient, name)
  gradient.withPointer { g in
    result.withMutablePointer(discarding: true) { c in
      if case .explicit(let a) = left, case .explicit(let b) = right {
        a.withPointer { a in b.withPointer { b in multiplyBothSides(a, g, b, into: c, backend, threads) } }
        return
      }
      if case .explicit(let a) = left {
        a.withPointer { backend.gemm(Gemm(alpha: 1, a: $0, b: g, beta: 0, c: c), threads: threads) }
      } else if case .explicit(let b) = right {
        b.withPointer { backend.gemm(Gemm(alpha: 1, a: g, b: $0, beta: 0, c: c), threads: threads) }
      } else {
        backend.copy(g, to: c)
      }
      if case .cholesky(let l) = left { l.withPointer { solve($0, c, backend, threads) } }
      // X·(L·Lᵀ)⁻¹ = ((L·Lᵀ)⁻¹·Xᵀ)ᵀ
      if case .cholesky(let l) = right { l.withPointer { solve($0, c.transposed, backend, threads) } }
    }
  }
}

/// X ← L⁻ᵀ·L⁻¹·X
@inline(__always)
private func solve<S: KernelScalar>(
  _ l: MatrixPointer<S>, _ x: MutableMatrixPointer<S>, _ backend: any Backend, _ threads: Int
) {
  backend.trsm(Trsm(triangle: .lower, alpha: 1, a: l, b: x), threads: threads)
  backend.trsm(Trsm(triangle: .upper, alpha: 1, a: l.transposed, b: x), threads: threads)
}

@inline(__always)
func requireShape<S>(_ result: borrowing Matrix<S>, of g: borrowing Matrix<S>, _ operation: StaticString) {
  require(
    result.rows == g.rows && result.columns == g.columns,
    "\(operation): G is \(g.rows)×\(g.columns) and the result is \(result.rows)×\(result.columns); they must agree"
  )
}
