// Many products in one call: `count` products of one shape in stacks, or any shapes in arrays.

import FisherRuntime

/// Cᵢ ← α·Aᵢ·Bᵢ + β·Cᵢ for stacks of `count` matrices.
///
/// `MatrixStack(repeating: b, count: n)` lets all products share one operand without copying it.
///
/// - Parameters:
///   - alpha: what multiplies the products.
///   - a: m×k each.
///   - b: k×n each.
///   - beta: what multiplies C.
///   - c: m×n each; written in place unless its storage is shared. With β = 0 it is not read.
///   - backend: what carries out the linear algebra.
///   - threads: the most threads to use.
@specialized(where S == Float) @specialized(where S == Double)
public func gemm<S: KernelScalar>(
  alpha: S = 1, _ a: MatrixStack<S>, _ b: MatrixStack<S>, beta: S = 0, into c: inout MatrixStack<S>,
  on backend: any Backend = NativeBackend(), threads: Int = Threads.available
) {
  requireThreads(threads, "gemm")
  require(
    a.count == b.count && a.count == c.count,
    """
    gemm: A is a stack of \(a.count) of \(a.rows)×\(a.columns), B of \(b.count) of \(b.rows)×\(b.columns) and C of \
    \(c.count) of \(c.rows)×\(c.columns); the counts must agree
    """)
  let strides = (a: a.stride, b: b.stride)
  a.withFirst { a in
    b.withFirst { b in
      c.withMutableFirst { c, stride, count in
        let first = Gemm(alpha: alpha, a: a, b: b, beta: beta, c: c)
        first.requireShapes()
        if count == 0 { return }
        backend.gemm(
          first: first, count: count, batchStrides: (strides.a, strides.b, stride), threads: threads)
      }
    }
  }
}

/// Cᵢ ← α·Aᵢ·Bᵢ + β·Cᵢ for arrays of matrices, whose shapes may differ from product to product.
///
/// - Parameters:
///   - alpha: what multiplies the products.
///   - a: mᵢ×kᵢ.
///   - b: kᵢ×nᵢ; as many as in `a`.
///   - beta: what multiplies C.
///   - c: mᵢ×nᵢ; as many as in `a`, each written in place unless its storage is shared. With β = 0 it is not read.
///   - backend: what carries out the linear algebra.
///   - threads: the most threads to use.
@specialized(where S == Float) @specialized(where S == Double)
public func gemm<S: KernelScalar>(
  alpha: S = 1, _ a: [Matrix<S>], _ b: [Matrix<S>], beta: S = 0, into c: inout [Matrix<S>],
  on backend: any Backend = NativeBackend(), threads: Int = Threads.available
) {
  requireThreads(threads, "gemm")
  require(
    a.count == b.count && a.count == c.count,
    "gemm: there are \(a.count) matrices A, \(b.count) B and \(c.count) C; the counts must agree")
  withUnsafeTemporaryAllocation(of: Gemm<S>.self, capacity: a.count) { group in
    for i in a.indices {
      c[i].makeUnique(keepingElements: beta != 0)
      let call = Gemm(
        alpha: alpha, a: a[i].pointer, b: b[i].pointer, beta: beta, c: c[i].mutablePointer)
      call.requireShapes()
      group.initializeElement(at: i, to: call)
    }
    withExtendedLifetime((a, b, c)) {
      backend.gemm(group: UnsafeBufferPointer(group), threads: threads)
    }
  }
}

/// A group of products on bare pointers; see ``Gemm``.
///
/// Traps on shapes that do not agree, and when an output shares memory with any operand or output of the group.
package func gemm<S: KernelScalar>(
  group: UnsafeBufferPointer<Gemm<S>>, on backend: any Backend, threads: Int
) {
  requireThreads(threads, "gemm")
  for (i, call) in group.enumerated() {
    call.requireShapes()
    call.requireSeparateOutput()
    for (j, other) in group.enumerated() where i != j {
      requireDisjoint(call.c, "C", other.a, "another product's A", "gemm")
      requireDisjoint(call.c, "C", other.b, "another product's B", "gemm")
      requireDisjoint(call.c, "C", other.c.readOnly, "another product's C", "gemm")
    }
  }
  backend.gemm(group: group, threads: threads)
}
