import FisherRuntime
import KernelTemplates

// A·P = Q·R, the column with the longest rest coming next (P. Businger, G. H. Golub, Numer. Math. 7 (1965), 269–276), in panels
// of b columns (G. Quintana-Ortí, X. Sun, C. H. Bischof, SIAM J. Sci. Comput. 19 (1998), 1486–1494). Inside a panel
//
//     A ← A − Vᵀ·Fᵀ       rows of V: the vectors v;  F(:, k) = τ·(Aᵀ·v − F·(V·v))
//
// is put off for all but the next column, and the next row, which tells how much shorter the columns have become:
//
//     ‖a′‖ = ‖a‖·√(1 − (r/‖a‖)²)
//
// Where that has cancelled to √ε of the length last computed, the panel ends and the length is computed anew from what is
// left of the column (Z. Drmač, Z. Bujanović, ACM Trans. Math. Software 35 (2008), 12).

/// The factorization with column pivoting of a matrix that is given by its columns.
struct PivotedHouseholder<S: KernelScalar> {
  /// n × m: column j of A is row j, elements adjacent.
  let columns: MutableMatrixPointer<S>
  let tau: UnsafeMutablePointer<S>
  /// n numbers.
  let permutation: UnsafeMutablePointer<Int>
  let backend: NativeBackend
  let kernels: any KernelSet<S>.Type
  let threads: Int

  private var n: Int { columns.rows }
  private var m: Int { columns.columns }
  private var count: Int { min(m, n) }

  /// Reflectors of a panel at most. A function of the shape alone.
  private var breadth: Int { count < 256 ? 16 : 32 }

  /// What a panel works on, in scratch memory.
  private struct Panel {
    /// The first column.
    let first: Int
    /// b × m and n × b.
    let v, f: MutableMatrixPointer<S>
    /// Of the columns: the length of what is left, and that when it was last computed; −1 where it is to be computed.
    let lengths, computed: UnsafeMutablePointer<S>
    /// V·v
    let products: UnsafeMutablePointer<S>
    var width = 0
    var isTrusted = true
  }

  /// Replaces A by the factors of A·P.
  func factor() {
    for j in 0..<n { permutation[j] = j }
    if count == 0 { return }
    ThreadContext.current.withScratch(breadth * (m + n + 1) + 2 * n, of: S.self) { scratch in
      let f = scratch + breadth * m
      let lengths = f + breadth * n
      for j in 0..<n {
        lengths[j] = length(of: j, from: 0)
        lengths[n + j] = lengths[j]
      }
      var first = 0
      while first < count {
        var panel = Panel(
          first: first,
          v: MutableMatrixPointer(scratch, rows: breadth, columns: m, rowStride: m, columnStride: 1),
          f: MutableMatrixPointer(f, rows: n, columns: breadth, rowStride: breadth, columnStride: 1),
          lengths: lengths, computed: lengths + n, products: lengths + 2 * n)
        factor(&panel)
        first += panel.width
      }
    }
  }

  /// Columns from the first of the panel on, until it is full or a length cannot be trusted; then all that was put off.
  private func factor(_ panel: inout Panel) {
    let limit = min(panel.v.rows, count - panel.first)
    while panel.width < limit && panel.isTrusted {
      let k = panel.first + panel.width
      exchange(k, longest(panel.lengths, from: k), panel)
      factorColumn(k, panel)
      panel.width += 1
      shorten(from: k + 1, &panel)
    }
    let next = panel.first + panel.width
    subtract(panel, columns: next..<n, rows: next..<m)
    if panel.isTrusted { return }
    for j in next..<n where panel.computed[j] < 0 {
      panel.lengths[j] = length(of: j, from: next)
      panel.computed[j] = panel.lengths[j]
    }
  }

  /// Makes column k of R and of F, and row k of R.
  private func factorColumn(_ k: Int, _ panel: Panel) {
    let (width, column) = (panel.width, columns.base + k * columns.rowStride)
    subtract(panel, columns: k..<k + 1, rows: k..<m)
    let reflector = Reflector(column + k, count: m - k, pivot: 0, kernels)
    tau[k] = reflector.tau
    let v = panel.v.base + width * panel.v.rowStride
    (v + k).update(from: column + k, count: m - k)
    column[k] = reflector.beta
    let rest = n - k - 1
    if rest == 0 { return }
    // F(:, k) = τ·Aᵀ·v − τ·F·(V·v)
    let f = panel.f.block(k + 1, width, rows: rest, columns: 1)
    let vector = panel.v.block(width, k, rows: 1, columns: m - k).readOnly.transposed
    multiply(reflector.tau, columns.block(k + 1, k, rows: rest, columns: m - k), vector, 0, f)
    if width > 0 {
      kernels.multiplyRows(
        panel.v.block(0, k, rows: width, columns: m - k).readOnly, v + k, to: panel.products)
      let products = MatrixPointer(
        UnsafePointer(panel.products), rows: width, columns: 1, rowStride: 1, columnStride: 1)
      multiply(-reflector.tau, panel.f.block(k + 1, 0, rows: rest, columns: width), products, 1, f)
    }
    var next = panel
    next.width += 1
    subtract(next, columns: k + 1..<n, rows: k..<k + 1)
  }

  /// A(rows, columns) ← A − Vᵀ·Fᵀ with the panel's reflectors so far.
  private func subtract(_ panel: Panel, columns range: Range<Int>, rows: Range<Int>) {
    if panel.width == 0 || range.isEmpty || rows.isEmpty { return }
    multiply(
      -1, panel.f.block(range.lowerBound, 0, rows: range.count, columns: panel.width),
      panel.v.block(0, rows.lowerBound, rows: panel.width, columns: rows.count).readOnly, 1,
      columns.block(range.lowerBound, rows.lowerBound, rows: range.count, columns: rows.count))
  }

  /// Takes the last row of R out of the lengths of the columns from `next` on.
  private func shorten(from next: Int, _ panel: inout Panel) {
    let untrusted = S.ulpOfOne.squareRoot()
    for j in next..<max(n, next) where panel.lengths[j] != 0 {
      let share = abs(columns[j, next - 1]) / panel.lengths[j]
      let rest = max(0, (1 + share) * (1 - share))
      let whole = panel.lengths[j] / panel.computed[j]
      // Not true for NaN either.
      if rest * whole * whole > untrusted {
        panel.lengths[j] *= rest.squareRoot()
      } else {
        panel.computed[j] = -1
        panel.isTrusted = false
      }
    }
  }

  private func length(of j: Int, from i: Int) -> S {
    backend.nrm2(VectorPointer(UnsafePointer(columns.base) + j * columns.rowStride + i, count: m - i))
  }

  /// The first index of the largest length, or of the first NaN.
  private func longest(_ lengths: UnsafeMutablePointer<S>, from first: Int) -> Int {
    var best = first
    for j in first..<n where !(lengths[j] <= lengths[best]) {
      best = j
      if lengths[j].isNaN { break }
    }
    return best
  }

  private func exchange(_ k: Int, _ pivot: Int, _ panel: Panel) {
    if pivot == k { return }
    func swap<T>(_ base: UnsafeMutablePointer<T>, _ stride: Int, _ count: Int) {
      for i in 0..<count {
        (base[k * stride + i], base[pivot * stride + i]) = (base[pivot * stride + i], base[k * stride + i])
      }
    }
    swap(permutation, 1, 1)
    swap(columns.base, columns.rowStride, m)
    swap(panel.f.base, panel.f.rowStride, panel.width)
    swap(panel.lengths, 1, 1)
    swap(panel.computed, 1, 1)
  }

  private func multiply(
    _ alpha: S, _ a: MutableMatrixPointer<S>, _ b: MatrixPointer<S>, _ beta: S, _ c: MutableMatrixPointer<S>
  ) {
    backend.gemm(Gemm(alpha: alpha, a: a.readOnly, b: b, beta: beta, c: c), threads: threads)
  }
}
