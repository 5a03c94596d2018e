import FisherRuntime

/// y ← α·A·x + β·y.
///
/// - Parameters:
///   - alpha: α; with 0, A and x are not read.
///   - a: m×n; `a.transposed` for the product with Aᵀ.
///   - x: n elements, one row or one column.
///   - beta: β; with 0, y is not read.
///   - y: m elements, one row or one column; written in place unless its storage is shared.
///   - backend: what computes it.
///   - threads: the most threads to use, at least 1.
@specialized(where S == Float) @specialized(where S == Double)
public func gemv<S: KernelScalar>(
  alpha: S = 1, _ a: Matrix<S>, _ x: Matrix<S>, beta: S = 0, into y: inout Matrix<S>,
  on backend: any Backend = NativeBackend(), threads: Int = Threads.available
) {
  requireThreads(threads, "gemv")
  requireVector(x, "x", "gemv")
  requireVector(y, "y", "gemv")
  a.withPointer { a in
    x.withPointer { x in
      y.withMutablePointer(discarding: beta == 0) { y in
        let call = Gemv(alpha: alpha, a: a, x: x.vector, beta: beta, y: y.vector)
        call.requireShapes()
        backend.gemv(call, threads: threads)
      }
    }
  }
}

/// y ← α·A·x + β·y on bare pointers; see ``Gemv``.
///
/// Traps on sizes that do not agree, and when y shares memory with an operand or has elements that share an address.
@specialized(where S == Float) @specialized(where S == Double)
package func gemv<S: KernelScalar>(_ call: Gemv<S>, on backend: any Backend, threads: Int) {
  requireThreads(threads, "gemv")
  call.requireShapes()
  requireDistinctElements(call.y.column, "y", "gemv")
  requireDisjoint(call.y.column, "y", call.a, "A", "gemv")
  requireDisjoint(call.y.column, "y", call.x.column, "x", "gemv")
  backend.gemv(call, threads: threads)
}

extension Gemv {
  /// Traps unless A is m×n, x has n elements and y has m.
  @inline(__always)
  func requireShapes() {
    require(
      x.count == a.columns && y.count == a.rows,
      """
      gemv: A is \(a.shape), x has \(x.count) elements and y has \(y.count); \
      x must have \(a.columns) and y \(a.rows)
      """)
  }
}
