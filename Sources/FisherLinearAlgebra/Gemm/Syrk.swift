import FisherRuntime
public import KernelTemplates

/// One triangle of C ← α·A·Aᵀ + β·C; AᵀA is the same call with `a.transposed`.
///
///     syrk(x.transposed, into: &gram, mirror: true)                            // XᵀX, all of it
///     syrk(alpha: (1 - ρ) / n, x.transposed, beta: ρ, into: &factor)           // running average of XᵀX/n
///
/// The other triangle is neither read nor written, unless `mirror` asks for the full symmetric matrix: then it is
/// overwritten.
///
/// - Parameters:
///   - alpha: α; with 0, A is not read.
///   - a: n×k.
///   - beta: β; with 0, C is not read.
///   - c: n×n; written in place unless its storage is shared.
///   - triangle: the half of C that is read and written.
///   - mirror: copy the half to the other one at the end.
///   - backend: what computes it.
///   - threads: the most threads to use, at least 1.
@specialized(where S == Float) @specialized(where S == Double)
public func syrk<S: KernelScalar>(
  alpha: S = 1, _ a: Matrix<S>, beta: S = 0, into c: inout Matrix<S>, triangle: Triangle = .lower,
  mirror: Bool = false, on backend: any Backend = NativeBackend(), threads: Int = Threads.available
) {
  requireThreads(threads, "syrk")
  a.withPointer { a in
    c.withMutablePointer(discarding: beta == 0 && mirror) { c in
      let call = Syrk(alpha: alpha, a: a, beta: beta, c: c, triangle: triangle, mirror: mirror)
      call.requireShapes()
      backend.syrk(call, threads: threads)
    }
  }
}

/// One triangle of C ← α·A·Aᵀ + β·C on bare pointers; see ``Syrk``.
///
/// Traps on shapes that do not agree, and when C shares memory with A or has elements that share an address.
@specialized(where S == Float) @specialized(where S == Double)
package func syrk<S: KernelScalar>(_ call: Syrk<S>, on backend: any Backend, threads: Int) {
  requireThreads(threads, "syrk")
  call.requireShapes()
  requireDistinctElements(call.c, "C", "syrk")
  requireDisjoint(call.c, "C", call.a, "A", "syrk")
  backend.syrk(call, threads: threads)
}

extension Syrk {
  /// Traps unless A is n×k and C is n×n.
  @inline(__always)
  func requireShapes() {
    require(
      c.rows == a.rows && c.columns == a.rows,
      "syrk: A is \(a.shape) and C is \(c.shape); C must be \(a.rows)×\(a.rows)")
  }
}
