import FisherRuntime
import KernelTemplates

// P·A = L·U by halving the columns (S. Toledo, SIAM J. Matrix Anal. Appl. 18 (1997), 1065–1081):
//
//     ⎡ A₁₁ A₁₂ ⎤      factorize the left half with all its rows, exchange the rows of the right half,
//     ⎣ A₂₁ A₂₂ ⎦      A₁₂ ← L₁₁⁻¹·A₁₂,   A₂₂ ← A₂₂ − L₂₁·A₁₂,   factorize A₂₂, exchange the rows of L₂₁
//
// down to panels one vector wide, so that nearly all flops are products with the longest k there can be. A panel is copied
// to adjacent rows: where rows are a multiple of 4 KiB apart, its column of rows would meet in one set of the caches.

/// The factorization of a matrix whose columns are adjacent.
struct PivotedElimination<S: KernelScalar> {
  let a: MutableMatrixPointer<S>
  let pivots: UnsafeMutablePointer<Int>
  let kernels: any KernelSet<S>.Type
  let threads: Int

  func run() {
    let (m, n) = (a.rows, a.columns)
    let count = min(m, n)
    let lanes = kernels.shape.lanes
    ThreadContext.current.withScratch(m * lanes, of: S.self) { factor(0, count, lanes, $0) }
    if n > count {
      exchange(0, count, columns: count, n)
      solve(0, count, columns: count, n)
    }
  }

  /// The columns `start` ..< `end`, from row `start` on.
  private func factor(_ start: Int, _ end: Int, _ lanes: Int, _ scratch: UnsafeMutablePointer<S>) {
    if end - start <= lanes { return factorPanel(start, end, lanes, scratch) }
    let middle = start + ((end - start) / 2 + lanes - 1) / lanes * lanes
    factor(start, middle, lanes, scratch)
    exchange(start, middle, columns: middle, end)
    solve(start, middle, columns: middle, end)
    let below = a.rows - middle
    multiply(
      a.block(middle, start, rows: below, columns: middle - start),
      a.block(start, middle, rows: middle - start, columns: end - middle),
      a.block(middle, middle, rows: below, columns: end - middle))
    factor(middle, end, lanes, scratch)
    exchange(middle, end, columns: start, middle)
  }

  private func factorPanel(_ start: Int, _ end: Int, _ lanes: Int, _ scratch: UnsafeMutablePointer<S>) {
    let part = a.block(start, start, rows: a.rows - start, columns: end - start)
    let panel = MutableMatrixPointer(
      scratch, rows: part.rows, columns: part.columns, rowStride: lanes, columnStride: 1)
    if part.columns < lanes {
      for i in 0..<part.rows { for j in part.columns..<lanes { scratch[i * lanes + j] = 0 } }
    }
    kernels.copy(part.readOnly, to: panel)
    kernels.factorPivotedPanel(scratch, rows: part.rows, columns: part.columns, pivots: pivots + start)
    kernels.copy(panel.readOnly, to: part)
    for j in start..<end { pivots[j] += start }
  }

  /// The exchanges of the pivots `start` ..< `end`, in some other columns.
  private func exchange(_ start: Int, _ end: Int, columns first: Int, _ last: Int) {
    for j in start..<end where pivots[j] != j {
      kernels.swapRows(
        a.base + (j * a.rowStride + first), a.base + (pivots[j] * a.rowStride + first), count: last - first)
    }
  }

  /// A₁₂ ← L₁₁⁻¹·A₁₂ by halves.
  private func solve(_ start: Int, _ end: Int, columns first: Int, _ last: Int) {
    let (n, columns) = (end - start, last - first)
    if n <= 16 {
      kernels.solveUnitLower(
        a.block(start, start, rows: n, columns: n).readOnly, a.block(start, first, rows: n, columns: columns))
      return
    }
    let middle = start + (n / 2 + 15) / 16 * 16
    solve(start, middle, columns: first, last)
    multiply(
      a.block(middle, start, rows: end - middle, columns: middle - start),
      a.block(start, first, rows: middle - start, columns: columns),
      a.block(middle, first, rows: end - middle, columns: columns))
    solve(middle, end, columns: first, last)
  }

  /// C ← C − A·B
  private func multiply(
    _ a: MutableMatrixPointer<S>, _ b: MutableMatrixPointer<S>, _ c: MutableMatrixPointer<S>
  ) {
    let call = Gemm(alpha: -1, a: a.readOnly, b: b.readOnly, beta: 1, c: c)
    if call.isSmall { call.runSmall(kernels) } else { Product(call).run(kernels, threads: threads) }
  }
}
