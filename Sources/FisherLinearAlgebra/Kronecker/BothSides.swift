import FisherRuntime
import KernelTemplates

/// The rows of a matrix between two products that are held at once. A constant, not what fits some cache: sums over the
/// rows are cut here, and each panel reads all of the other operands.
private let panelRows = 1024

/// C ← (A·G·B) ⊘ divisor. Row panels of A·G lie in scratch: no more than 1024 rows of the longer side.
@inline(__always)
func multiplyBothSides<S: KernelScalar>(
  _ a: MatrixPointer<S>, _ g: MatrixPointer<S>, _ b: MatrixPointer<S>, divisor: Divisor<S> = .none,
  into c: MutableMatrixPointer<S>, _ backend: any Backend, _ threads: Int
) {
  if c.rows < c.columns {
    // (Bᵀ·Gᵀ)·Aᵀ: panels along the longer side.
    multiplyRowPanels(
      b.transposed, g.transposed, a.transposed, divisor.transposed, into: c.transposed, backend, threads)
  } else {
    multiplyRowPanels(a, g, b, divisor, into: c, backend, threads)
  }
}

private func multiplyRowPanels<S: KernelScalar>(
  _ a: MatrixPointer<S>, _ g: MatrixPointer<S>, _ b: MatrixPointer<S>, _ divisor: Divisor<S>,
  into c: MutableMatrixPointer<S>, _ backend: any Backend, _ threads: Int
) {
  let panels = Partition(c.rows, limit: panelRows)
  if c.rows == 0 || c.columns == 0 { return }
  ThreadContext.current.withScratch(panels.size(0) * c.columns, of: S.self) { scratch in
    for p in 0..<panels.parts {
      let (i, rows) = (panels.start(p), panels.size(p))
      let t = dense(scratch, rows, c.columns)
      backend.gemm(
        Gemm(alpha: 1, a: a.block(i, 0, rows: rows, columns: a.columns), b: g, beta: 0, c: t),
        threads: threads)
      backend.gemm(
        Gemm(
          alpha: 1, a: t.readOnly, b: b, beta: 0, c: c.block(i, 0, rows: rows, columns: c.columns),
          epilogue: Epilogue(divisor: divisor.block(i, 0))), threads: threads)
    }
  }
}

/// C ← Q·((Qᵀ·G·W) ⊘ divisor)·Wᵀ. A panel of rows of the inner matrix is made, divided, turned back and added to C
/// before the next: two panels of scratch, no matrix of G's size.
@inline(__always)
func divideInBasis<S: KernelScalar>(
  _ q: MatrixPointer<S>, _ g: MatrixPointer<S>, _ w: MatrixPointer<S>, _ divisor: Divisor<S>,
  into c: MutableMatrixPointer<S>, _ backend: any Backend, _ threads: Int
) {
  if c.rows < c.columns {
    divideRowPanels(w, g.transposed, q, divisor.transposed, into: c.transposed, backend, threads)
  } else {
    divideRowPanels(q, g, w, divisor, into: c, backend, threads)
  }
}

private func divideRowPanels<S: KernelScalar>(
  _ q: MatrixPointer<S>, _ g: MatrixPointer<S>, _ w: MatrixPointer<S>, _ divisor: Divisor<S>,
  into c: MutableMatrixPointer<S>, _ backend: any Backend, _ threads: Int
) {
  let panels = Partition(c.rows, limit: panelRows)
  if c.rows == 0 || c.columns == 0 { return }
  let size = panels.size(0) * c.columns
  ThreadContext.current.withScratch(2 * size, of: S.self) { scratch in
    for p in 0..<panels.parts {
      let (i, rows) = (panels.start(p), panels.size(p))
      let (t, h) = (dense(scratch, rows, c.columns), dense(scratch + size, rows, c.columns))
      let columns = q.block(0, i, rows: q.rows, columns: rows)
      backend.gemm(Gemm(alpha: 1, a: columns.transposed, b: g, beta: 0, c: t), threads: threads)
      backend.gemm(
        Gemm(
          alpha: 1, a: t.readOnly, b: w, beta: 0, c: h,
          epilogue: Epilogue(divisor: divisor.block(i, 0))), threads: threads)
      backend.gemm(
        Gemm(alpha: 1, a: h.readOnly, b: w.transposed, beta: 0, c: t), threads: threads)
      backend.gemm(
        Gemm(alpha: 1, a: columns, b: t.readOnly, beta: p == 0 ? 0 : 1, c: c), threads: threads)
    }
  }
}

/// A row-major matrix over scratch memory.
@inline(__always)
private func dense<S>(_ base: UnsafeMutablePointer<S>, _ rows: Int, _ columns: Int) -> MutableMatrixPointer<S>
{
  MutableMatrixPointer(base, rows: rows, columns: columns, rowStride: columns, columnStride: 1)
}
