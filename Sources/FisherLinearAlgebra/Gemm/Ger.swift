import FisherRuntime

/// A ← A + x·(α·y)ᵀ.
///
/// α is applied to y, and then the product is formed, as in BLAS: LAPACK relies on it where α·y is in range and x·yᵀ is not.
///
/// - Parameters:
///   - alpha: α; with 0, nothing is read or written.
///   - x: m elements, one row or one column.
///   - y: n elements, one row or one column.
///   - a: m×n; written in place unless its storage is shared.
///   - backend: what computes it.
///   - threads: the most threads to use, at least 1.
@specialized(where S == Float) @specialized(where S == Double)
public func ger<S: KernelScalar>(
  alpha: S = 1, _ x: Matrix<S>, _ y: Matrix<S>, into a: inout Matrix<S>,
  on backend: any Backend = NativeBackend(), threads: Int = Threads.available
) {
  requireThreads(threads, "ger")
  requireVector(x, "x", "ger")
  requireVector(y, "y", "ger")
  x.withPointer { x in
    y.withPointer { y in
      a.withMutablePointer { a in
        requireGerShapes(x.vector, y.vector, a)
        backend.ger(alpha: alpha, x: x.vector, y: y.vector, a: a, threads: threads)
      }
    }
  }
}

/// A ← A + x·(α·y)ᵀ on bare pointers.
///
/// Traps on sizes that do not agree, and when A shares memory with a vector or has elements that share an address.
@specialized(where S == Float) @specialized(where S == Double)
package func ger<S: KernelScalar>(
  alpha: S, _ x: VectorPointer<S>, _ y: VectorPointer<S>, into a: MutableMatrixPointer<S>,
  on backend: any Backend, threads: Int
) {
  requireThreads(threads, "ger")
  requireGerShapes(x, y, a)
  requireDistinctElements(a, "A", "ger")
  requireDisjoint(a, "A", x.column, "x", "ger")
  requireDisjoint(a, "A", y.column, "y", "ger")
  backend.ger(alpha: alpha, x: x, y: y, a: a, threads: threads)
}

extension VectorPointer where Scalar: KernelScalar {
  /// Lends α·x: x itself if α is 1, else a copy in scratch memory.
  @inline(__always)
  func withScaled(by alpha: Scalar, _ body: (VectorPointer<Scalar>) -> Void) {
    if alpha == 1 { return body(self) }
    ThreadContext.current.withScratch(count, of: Scalar.self) { scaled in
      for i in 0..<count { scaled[i] = alpha * self[i] }
      body(VectorPointer(scaled, count: count, stride: 1))
    }
  }
}

@inline(__always)
private func requireGerShapes<S>(
  _ x: VectorPointer<S>, _ y: VectorPointer<S>, _ a: MutableMatrixPointer<S>
) {
  require(
    x.count == a.rows && y.count == a.columns,
    "ger: x has \(x.count) elements, y has \(y.count) and A is \(a.shape); A must be \(x.count)×\(y.count)")
}
