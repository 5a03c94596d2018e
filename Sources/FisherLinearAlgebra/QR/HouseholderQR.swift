import FisherRuntime
import KernelTemplates

// A = Q·R in panels of b columns. A is taken transposed, its columns being adjacent rows: a panel is then b long rows, and
// what follows is a block reflector applied to rows. In a panel each column first gets the reflectors before it, as one
// block, then makes its own.

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
    withBlock { v, t in
      for p in 0..<panels.parts {
        let (first, width) = (panels.start(p), panels.size(p))
        let length = columns.columns - first
        var block = BlockReflector(
          v.block(0, first, rows: width, columns: length).readOnly, scratch: t, kernels)
        for j in first..<first + width { factorColumn(j, j - first, first, v, &block) }
        let rest = columns.block(
          first + width, first, rows: columns.rows - first - width, columns: length)
        block.apply(toRows: rest, threads: threads)
      }
    }
  }

  /// Column j, the p-th of the panel that begins at `first`.
  private func factorColumn(
    _ j: Int, _ p: Int, _ first: Int, _ v: MutableMatrixPointer<S>, _ block: inout BlockReflector<S>
  ) {
    let column = columns.base + j * columns.rowStride
    block.apply(toRow: column + first)
    let vector = v.base + p * v.rowStride
    for i in first..<j { vector[i] = 0 }
    let length = columns.columns - j
    (vector + j).update(from: column + j, count: length)
    let reflector = Reflector(vector + j, count: length, pivot: 0, kernels)
    tau[j] = reflector.tau
    (column + j).update(from: vector + j, count: length)
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
