import KernelTemplates

// Reflectors in blocks (R. Schreiber, C. Van Loan, SIAM J. Sci. Stat. Comput. 10 (1989), 53–57):
//
//     H₁·H₂ ⋯ H_b = I − Vᵀ·T·V          rows of V: the vectors v;  T upper triangular, b × b
//     T(0…j−1, j) = −τⱼ·T(0…j−1, 0…j−1)·(V(0…j−1, :)·vⱼ)       T(j, j) = τⱼ
//
// Applied to the rows of X, X·(I − Vᵀ·T·V), that is two products of matrices and a small one.

/// A product of reflectors whose vectors are the rows of a matrix, written out with their ones and zeros.
struct BlockReflector<S: KernelScalar> {
  /// b × m, columns adjacent.
  let v: MatrixPointer<S>
  /// b × b, row-major; 0 below the diagonal.
  let t: UnsafeMutablePointer<S>
  let kernels: any KernelSet<S>.Type

  var count: Int { v.rows }

  /// Forms T in `t`, which has room for (b + 1)·b elements.
  init(
    _ v: MatrixPointer<S>, tau: UnsafePointer<S>, _ t: UnsafeMutablePointer<S>,
    _ kernels: any KernelSet<S>.Type
  ) {
    (self.v, self.t, self.kernels) = (v, t, kernels)
    let b = v.rows
    let products = t + b * b
    for j in 0..<b {
      kernels.multiplyRows(
        v.block(0, 0, rows: j, columns: v.columns), v.base + j * v.rowStride, to: products)
      for i in 0..<b { t[i * b + j] = 0 }
      for i in 0..<j {
        var sum: S = 0
        for p in i..<j { sum += t[i * b + p] * products[p] }
        t[i * b + j] = -tau[j] * sum
      }
      t[j * b + j] = tau[j]
    }
  }

  /// X ← X·(I − Vᵀ·T·V), or with Tᵀ the reflectors in the opposite order; columns of X are adjacent.
  func apply(toRows x: MutableMatrixPointer<S>, reversed: Bool = false, threads: Int) {
    let (r, b) = (x.rows, count)
    if r == 0 { return }
    ThreadContext.current.withScratch(2 * r * b, of: S.self) { scratch in
      let w = MutableMatrixPointer(scratch, rows: r, columns: b, rowStride: b, columnStride: 1)
      let wt = MutableMatrixPointer(scratch + r * b, rows: r, columns: b, rowStride: b, columnStride: 1)
      let t = MatrixPointer(UnsafePointer(t), rows: b, columns: b, rowStride: b, columnStride: 1)
      multiply(1, x.readOnly, v.transposed, 0, w, threads)
      multiply(1, w.readOnly, reversed ? t.transposed : t, 0, wt, threads)
      multiply(-1, wt.readOnly, v, 1, x, threads)
    }
  }

  private func multiply(
    _ alpha: S, _ a: MatrixPointer<S>, _ b: MatrixPointer<S>, _ beta: S, _ c: MutableMatrixPointer<S>,
    _ threads: Int
  ) {
    Product(Gemm(alpha: alpha, a: a, b: b, beta: beta, c: c)).run(kernels, threads: threads)
  }
}
