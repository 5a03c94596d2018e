import FisherRuntime
import KernelTemplates

// A = Q·R in panels of b columns. A is taken transposed, its columns being adjacent rows: a panel is then b long rows, and
// what follows is a block reflector applied to rows. In a panel each column first gets the reflectors before it, as one
// block, then makes its own. The block changes rows one by one, so threads take them in parts; the next panel is the first
// part, and is factorized at once, while the others are still being changed (look-ahead).

/// The factorization of a matrix that is given by its columns.
struct HouseholderQR<S: KernelScalar> {
  /// n × m: column j of A is row j, elements adjacent.
  let columns: MutableMatrixPointer<S>
  let tau: UnsafeMutablePointer<S>
  let kernels: any KernelSet<S>.Type
  let threads: Int

  private var count: Int { min(columns.rows, columns.columns) }

  /// Reflectors of a block. A function of the shape alone.
  private var panel: Int { count < 256 ? 16 : 32 }

  private var panels: Partition { Partition(count, limit: panel) }

  /// Replaces A by its factors.
  func factor() {
    if count == 0 { return }
    // Two rooms: a panel is made while the one before is applied.
    withBlock { v, t in
      withBlock { nextV, nextT in
        var block = factorPanel(0, v, t)
        for p in 0..<panels.parts {
          let (first, end) = (panels.start(p), panels.start(p) + panels.size(p))
          if end == columns.rows { return }
          let (length, isLast, current) = (columns.columns - first, p + 1 == panels.parts, block)
          let flops = 4 * Double(end - first) * Double(length) * Double(columns.rows - end)
          let threads = Parallel.allowance(threads, microseconds: productMicroseconds(S.self, flops))
          // One thread has nothing to look ahead for: all rows at once are one product in place of two.
          let next = isLast ? end : threads == 1 ? columns.rows : end + panels.size(p + 1)
          let others = rowParts(from: next)
          Parallel.perform(others.count + 1, threads: threads) { task in
            let rows = task == 0 ? end..<next : others[task - 1]
            current.apply(
              toRows: columns.block(rows.lowerBound, first, rows: rows.count, columns: length), threads: 1)
            if task == 0 && !isLast {
              block = p % 2 == 0 ? factorPanel(p + 1, nextV, nextT) : factorPanel(p + 1, v, t)
            }
          }
        }
      }
    }
  }

  /// The rows from `first` on in parts for threads to take one by one.
  private func rowParts(from first: Int) -> [Range<Int>] {
    let n = columns.rows - first
    if n <= 0 { return [] }
    let parts = Partition(n, parts: threads == 1 ? 1 : max(1, min(4 * threads, n / 64)))
    return (0..<parts.parts).map { parts.range($0).lowerBound + first..<parts.range($0).upperBound + first }
  }

  /// Factorizes the columns of a panel, which the panels before have changed.
  private func factorPanel(
    _ p: Int, _ v: MutableMatrixPointer<S>, _ t: UnsafeMutablePointer<S>
  ) -> BlockReflector<S> {
    let (first, width) = (panels.start(p), panels.size(p))
    var block = BlockReflector(
      v.block(0, first, rows: width, columns: columns.columns - first).readOnly, scratch: t, kernels)
    for j in first..<first + width { factorColumn(j, j - first, first, v, &block) }
    return block
  }

  /// Column j, the p-th of the panel that begins at `first`.
  private func factorColumn(
    _ j: Int, _ p: Int, _ first: Int, _ v: MutableMatrixPointer<S>, _ block: inout BlockReflector<S>
  ) {
    let column = columns.base + j * columns.rowStride
    block.apply(toRow: column + first)
    let length = columns.columns - j
    let reflector = Reflector(column + j, count: length, pivot: 0, kernels)
    tau[j] = reflector.tau
    let vector = v.base + p * v.rowStride
    for i in first..<j { vector[i] = 0 }
    (vector + j).update(from: column + j, count: length)
    column[j] = reflector.beta
    block.append(tau: reflector.tau)
  }

  /// X ← X·H₀·H₁ ⋯ for rows X of m elements, which is Qᵀ on the columns that they stand for; `reversed`: Q.
  ///
  /// - Parameter isIdentity: row i of X is known to be the i-th unit vector, and the order is reversed.
  func apply(toRows x: MutableMatrixPointer<S>, reversed: Bool, isIdentity: Bool) {
    if count == 0 { return }
    withBlock { v, t in
      for step in 0..<panels.parts {
        let p = reversed ? panels.parts - 1 - step : step
        let (first, width) = (panels.start(p), panels.size(p))
        for j in first..<first + width {
          let vector = v.base + (j - first) * v.rowStride
          for i in first..<j { vector[i] = 0 }
          (vector + j).update(from: columns.base + j * columns.rowStride + j, count: columns.columns - j)
          vector[j] = 1
        }
        let length = columns.columns - first
        let block = BlockReflector(
          v.block(0, first, rows: width, columns: length).readOnly, tau: tau + first, scratch: t, kernels)
        // Unit vectors before this block's rows have nothing in its columns.
        let top = isIdentity && reversed ? min(first, x.rows) : 0
        block.apply(
          toRows: x.block(top, first, rows: x.rows - top, columns: length), reversed: reversed,
          threads: threads)
      }
    }
  }

  /// Lends room for the vectors of a block, and for its T.
  private func withBlock(_ body: (_ v: MutableMatrixPointer<S>, _ t: UnsafeMutablePointer<S>) -> Void) {
    let m = columns.columns
    ThreadContext.current.withScratch(panel * m + BlockReflector<S>.scratch(panel), of: S.self) { scratch in
      body(
        MutableMatrixPointer(scratch, rows: panel, columns: m, rowStride: m, columnStride: 1),
        scratch + panel * m)
    }
  }
}
