import FisherRuntime
public import KernelTemplates

/// On which side of a product a matrix stands.
public enum Side: Sendable, CaseIterable {
  case left, right
}

/// C ← α·A·B + β·C, or α·B·A + β·C with A on the right, for a symmetric A.
///
/// - Parameters:
///   - alpha: α; with 0, A and B are not read.
///   - a: symmetric, m×m on the left, n×n on the right. Only one triangle of it is read.
///   - triangle: the half of A that is read.
///   - side: where A stands.
///   - b: m×n.
///   - beta: β; with 0, C is not read.
///   - c: m×n; written in place unless its storage is shared.
///   - backend: what computes it.
///   - threads: the most threads to use, at least 1.
@specialized(where S == Float) @specialized(where S == Double)
public func symm<S: KernelScalar>(
  alpha: S = 1, _ a: Matrix<S>, triangle: Triangle = .lower, side: Side = .left, _ b: Matrix<S>,
  beta: S = 0, into c: inout Matrix<S>, on backend: any Backend = NativeBackend(),
  threads: Int = Threads.available
) {
  requireThreads(threads, "symm")
  a.withPointer { a in
    b.withPointer { b in
      c.withMutablePointer(discarding: beta == 0) { c in
        requireSymmShapes(a, side, b, c.readOnly)
        // B·A = (A·Bᵀ)ᵀ
        let call =
          side == .left
          ? Symm(alpha: alpha, a: a, triangle: triangle, b: b, beta: beta, c: c)
          : Symm(
            alpha: alpha, a: a, triangle: triangle, b: b.transposed, beta: beta, c: c.transposed)
        backend.symm(call, threads: threads)
      }
    }
  }
}

/// C ← α·A·B + β·C on bare pointers; see ``Symm``.
///
/// Traps on shapes that do not agree, and when C shares memory with an operand or has elements that share an address.
@specialized(where S == Float) @specialized(where S == Double)
package func symm<S: KernelScalar>(_ call: Symm<S>, on backend: any Backend, threads: Int) {
  requireThreads(threads, "symm")
  requireSymmShapes(call.a, .left, call.b, call.c.readOnly)
  requireDistinctElements(call.c, "C", "symm")
  requireDisjoint(call.c, "C", call.a, "A", "symm")
  requireDisjoint(call.c, "C", call.b, "B", "symm")
  backend.symm(call, threads: threads)
}

@inline(__always)
private func requireSymmShapes<S>(
  _ a: MatrixPointer<S>, _ side: Side, _ b: MatrixPointer<S>, _ c: MatrixPointer<S>
) {
  require(a.rows == a.columns, "symm: A is \(a.shape) and B is \(b.shape); A must be square")
  require(
    a.rows == (side == .left ? b.rows : b.columns),
    "symm: A is \(a.shape) on the \(side) and B is \(b.shape); their inner sizes must agree")
  require(
    c.rows == b.rows && c.columns == b.columns,
    "symm: A is \(a.shape), B is \(b.shape) and C is \(c.shape); C must have the shape of B")
}
