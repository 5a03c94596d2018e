import FisherRuntime
import KernelTemplates

// P·A = L·U by halving the columns (S. Toledo, SIAM J. Matrix Anal. Appl. 18 (1997), 1065–1081):
//
//     ⎡ A₁₁ A₁₂ ⎤      factorize the left half with all its rows, exchange the rows of the right half,
//     ⎣ A₂₁ A₂₂ ⎦      A₁₂ ← L₁₁⁻¹·A₁₂,   A₂₂ ← A₂₂ − L₂₁·A₁₂,   factorize A₂₂, exchange the rows of L₂₁
//
// down to panels one vector wide, so that nearly all flops are products with the longest k there can be. A panel is copied
// to adjacent rows: where rows are a multiple of 4 KiB apart, its column of rows would meet in one set of the caches.
//
// Larger matrices are first cut into blocks of columns. What a factorized block does to the others each of them takes by
// itself, and so do threads; the next block is the first to be taken, and is factorized at once, while the others are still
// being changed (look-ahead).

/// The factorization of a matrix whose columns are adjacent.
struct PivotedElimination<S: KernelScalar> {
  let a: MutableMatrixPointer<S>
  let pivots: UnsafeMutablePointer<Int>
  let kernels: any KernelSet<S>.Type
  let threads: Int

  /// Columns of a block. A function of the shape alone.
  private var width: Int {
    let count = min(a.rows, a.columns)
    return count < 512 ? max(1, count) : 192
  }

  func run() {
    let (m, count, lanes) = (a.rows, min(a.rows, a.columns), kernels.shape.lanes)
    ThreadContext.current.withScratch(m * lanes, of: S.self) { scratch in
      factor(0, min(width, count), lanes, scratch)
      for start in stride(from: 0, to: count, by: width) {
        let end = min(start + width, count)
        // A square matrix of one block: nothing is left to change.
        if start == 0 && end == a.columns { return }
        let next = min(end + width, count)
        let others = columnParts(from: next)
        let work = 2 * Double(m - start) * Double(a.columns - end) * Double(end - start)
        let threads = Parallel.allowance(threads, microseconds: productMicroseconds(S.self, work))
        Parallel.perform(others.count + 2, threads: threads) { task in
          if task == 0 {
            eliminate(start, end, columns: end, next)
            if next > end { factor(end, next, lanes, scratch) }
          } else if task <= others.count {
            eliminate(start, end, columns: others[task - 1].lowerBound, others[task - 1].upperBound)
          } else {
            exchange(start, end, columns: 0, start)
          }
        }
      }
    }
  }

  /// The columns from `first` on in parts of whole tiles for threads to take one by one.
  private func columnParts(from first: Int) -> [Range<Int>] {
    let (n, tile) = (a.columns - first, kernels.shape.tileColumns)
    if n <= 0 { return [] }
    let tiles = (n + tile - 1) / tile
    let parts = Partition(tiles, parts: threads == 1 ? 1 : max(1, min(4 * threads, n / 128)))
    return (0..<parts.parts).map {
      let start = first + parts.start($0) * tile
      return start..<min(a.columns, start + parts.size($0) * tile)
    }
  }

  /// What the factorized columns `start` ..< `end` do to others.
  private func eliminate(_ start: Int, _ end: Int, columns first: Int, _ last: Int) {
    if first == last { return }
    exchange(start, end, columns: first, last)
    solve(start, end, columns: first, last)
    let below = a.rows - end
    multiply(
      a.block(end, start, rows: below, columns: end - start),
      a.block(start, first, rows: end - start, columns: last - first),
      a.block(end, first, rows: below, columns: last - first))
  }

  /// The columns `start` ..< `end`, from row `start` on.
  private func factor(_ start: Int, _ end: Int, _ lanes: Int, _ scratch: UnsafeMutablePointer<S>) {
    if end - start <= lanes { return factorPanel(start, end, lanes, scratch) }
    let middle = start + ((end - start) / 2 + lanes - 1) / lanes * lanes
    factor(start, middle, lanes, scratch)
    eliminate(start, middle, columns: middle, end)
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
    var call = Gemm(alpha: -1, a: a.readOnly, b: b.readOnly, beta: 1, c: c)
    call.run(kernels, threads: threads)
  }
}
