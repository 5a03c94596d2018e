import FisherRuntime
public import KernelTemplates

/// B ← α·T⁻¹·B, or α·B·T⁻¹ with T on the right, for a triangular T.
///
/// Any transposition is a view: Lᵀ·X = B is `trsm(l.transposed, triangle: .upper, into: &b)`. The backward error is a few
/// n·u·|T|·|X|, u the unit roundoff (N. J. Higham, Accuracy and Stability of Numerical Algorithms, theorem 8.5).
/// m²·n flops on the left, m·n² on the right.
///
/// - Parameters:
///   - alpha: α; with 0, T is not read.
///   - a: T, m×m on the left, n×n on the right. Only one triangle of it is read.
///   - triangle: the half of `a` that is read.
///   - side: where T stands.
///   - unitDiagonal: take the diagonal of T for ones and do not read it.
///   - b: m×n; written in place unless its storage is shared. A zero on the diagonal of T makes infinities or NaNs.
///   - backend: what computes it.
///   - threads: the most threads to use, at least 1.
@specialized(where S == Float) @specialized(where S == Double)
public func trsm<S: KernelScalar>(
  alpha: S = 1, _ a: Matrix<S>, triangle: Triangle = .lower, side: Side = .left, unitDiagonal: Bool = false,
  into b: inout Matrix<S>, on backend: any Backend = NativeBackend(), threads: Int = Threads.available
) {
  requireThreads(threads, "trsm")
  a.withPointer { a in
    b.withMutablePointer { b in
      let call = Trsm(
        side: side, triangle: triangle, unitDiagonal: unitDiagonal, alpha: alpha, a: a, b: b)
      call.requireShapes("trsm")
      backend.trsm(call, threads: threads)
    }
  }
}

/// B ← α·T·B, or α·B·T with T on the right, for a triangular T.
///
/// The parameters are those of ``trsm(alpha:_:triangle:side:unitDiagonal:into:on:threads:)``.
@specialized(where S == Float) @specialized(where S == Double)
public func trmm<S: KernelScalar>(
  alpha: S = 1, _ a: Matrix<S>, triangle: Triangle = .lower, side: Side = .left, unitDiagonal: Bool = false,
  into b: inout Matrix<S>, on backend: any Backend = NativeBackend(), threads: Int = Threads.available
) {
  requireThreads(threads, "trmm")
  a.withPointer { a in
    b.withMutablePointer { b in
      let call = Trmm(
        side: side, triangle: triangle, unitDiagonal: unitDiagonal, alpha: alpha, a: a, b: b)
      call.requireShapes("trmm")
      backend.trmm(call, threads: threads)
    }
  }
}

/// B ← α·T⁻¹·B or α·B·T⁻¹ on bare pointers; see ``Triangular``.
///
/// Traps on shapes that do not agree, and when B shares memory with T or has elements that share an address.
@specialized(where S == Float) @specialized(where S == Double)
package func trsm<S: KernelScalar>(_ call: Trsm<S>, on backend: any Backend, threads: Int) {
  call.requireSound("trsm", threads)
  backend.trsm(call, threads: threads)
}

/// B ← α·T·B or α·B·T on bare pointers; see ``Triangular``.
///
/// Traps on shapes that do not agree, and when B shares memory with T or has elements that share an address.
@specialized(where S == Float) @specialized(where S == Double)
package func trmm<S: KernelScalar>(_ call: Trmm<S>, on backend: any Backend, threads: Int) {
  call.requireSound("trmm", threads)
  backend.trmm(call, threads: threads)
}

extension Triangular {
  /// Traps unless T is square and has the size of B on its side.
  @inline(__always)
  func requireShapes(_ operation: StaticString) {
    require(a.rows == a.columns, "\(operation): T is \(a.shape) and B is \(b.shape); T must be square")
    require(
      a.rows == (side == .left ? b.rows : b.columns),
      "\(operation): T is \(a.shape) on the \(side) and B is \(b.shape); their inner sizes must agree")
  }

  /// What must hold for bare pointers.
  @inline(__always)
  func requireSound(_ operation: StaticString, _ threads: Int) {
    requireThreads(threads, operation)
    requireShapes(operation)
    requireDistinctElements(b, "B", operation)
    requireDisjoint(b, "B", a, "T", operation)
  }
}
