import FisherRuntime
import KernelTemplates

// Qᵀ·A·Q = T, tridiagonal, by reflectors from the last row up: the reflector of row i works on the indices below i, so that
// what is left is always a leading block, whose rows start where the matrix starts. In panels of b rows
// (J. Dongarra, D. Sorensen, S. Hammarling, J. Comput. Appl. Math. 27 (1989), 215–227):
//
//     wᵢ = τᵢ·(A·vᵢ − Σₚ(vₚ·(wₚᵀvᵢ) + wₚ·(vₚᵀvᵢ))),   wᵢ ← wᵢ − ½·τᵢ·(wᵢᵀvᵢ)·vᵢ       A as it was before the panel
//     A ← A − Σₚ(vₚ·wₚᵀ + wₚ·vₚᵀ)                                                 once a panel, as a product
//
// Half of the 4/3·n³ flops are products A·v with a symmetric A, which threads share, the other half is one product of
// matrices a panel.
// Error: T is exact for A + E, ‖E‖ ≤ c·n·u·‖A‖ (Higham 2002, 19.3).

/// The reduction of a symmetric matrix to a tridiagonal one.
struct Tridiagonalization<S: KernelScalar> {
  /// In: the lower triangle. Out: row i holds the vector of reflector i, written out with its ones and zeros.
  let a: MutableMatrixPointer<S>
  /// τ of each row.
  let tau: UnsafeMutablePointer<S>
  /// The diagonal of T.
  let d: UnsafeMutablePointer<Double>
  /// Beside the diagonal: e[i] is T(i, i + 1).
  let e: UnsafeMutablePointer<Double>
  let kernels: any KernelSet<S>.Type
  let threads: Int

  private var order: Int { a.rows }

  /// Rows of a panel.
  private var panel: Int { order < 256 ? 16 : 32 }

  /// Carries out the reduction.
  func run() {
    let (n, stride) = (order, a.rowStride)
    let elements = (4 * panel + mostShares) * stride + 2 * panel
    ThreadContext.current.withScratch(elements, of: S.self) { scratch in
      let x = MutableMatrixPointer(scratch, rows: 2 * panel, columns: n, rowStride: stride, columnStride: 1)
      let y = x.following(2 * panel)
      let sums = y.following(2 * panel).block(0, 0, rows: mostShares, columns: n)
      let coefficients = scratch + (4 * panel + mostShares) * stride
      var top = n
      while top > 1 {
        let count = min(panel, top - 1)
        for p in 0..<count { reduceRow(top - 1 - p, p, x, y, sums, coefficients) }
        top -= count
        let part = (
          x: x.block(0, 0, rows: 2 * count, columns: top), y: y.block(0, 0, rows: 2 * count, columns: top)
        )
        let update = Gemm(
          alpha: -1, a: part.x.readOnly.transposed, b: part.y.readOnly, beta: 1,
          c: a.block(0, 0, rows: top, columns: top))
        Product(update, region: .lower(diagonal: 0)).run(kernels, threads: threads)
      }
      if n > 0 {
        d[0] = Double(a[0, 0])
        tau[0] = 0
        for j in 0..<n { a[0, j] = 0 }
      }
    }
  }

  /// Row i with the `p` reflectors of this panel so far: rows v₀, w₀, v₁, w₁, … of X and w₀, v₀, w₁, v₁, … of Y.
  private func reduceRow(
    _ i: Int, _ p: Int, _ x: MutableMatrixPointer<S>, _ y: MutableMatrixPointer<S>,
    _ sums: MutableMatrixPointer<S>, _ coefficients: UnsafeMutablePointer<S>
  ) {
    let row = a.base + i * a.rowStride
    let earlier = x.block(0, 0, rows: 2 * p, columns: i + 1)
    if p > 0 {
      subtract(earlier.readOnly.transposed.block(i, 0, rows: 1, columns: 2 * p), y, row, count: i + 1)
    }
    d[i] = Double(row[i])
    let reflector = Reflector(row, count: i, pivot: i - 1, kernels)
    e[i - 1] = Double(reflector.beta)
    tau[i] = reflector.tau
    for j in i..<order { row[j] = 0 }
    let (v, w) = (x.base + 2 * p * x.rowStride, x.base + (2 * p + 1) * x.rowStride)
    if reflector.tau == 0 {
      for j in 0..<i { w[j] = 0 }
    } else {
      multiplySymmetric(order: i, row, sums, to: w)
      if p > 0 {
        kernels.multiplyRows(earlier.block(0, 0, rows: 2 * p, columns: i).readOnly, row, to: coefficients)
        let line = MatrixPointer(
          UnsafePointer(coefficients), rows: 1, columns: 2 * p, rowStride: 1, columnStride: 1)
        subtract(line, y, w, count: i)
      }
      let (vs, ws) = (VectorPointer(UnsafePointer(row), count: i), MutableVectorPointer(w, count: i))
      kernels.scal(reflector.tau, ws)
      kernels.axpy(-reflector.tau / 2 * kernels.sum(.products, ws.readOnly, vs), vs, ws)
    }
    v.update(from: row, count: i)
    (y.base + 2 * p * y.rowStride).update(from: w, count: i)
    (y.base + (2 * p + 1) * y.rowStride).update(from: row, count: i)
  }

  /// The most parts of a product A·v.
  private var mostShares: Int { Self.shares(order: order) }

  /// Parts of which each is worth a thread, about.
  private static func shares(order n: Int) -> Int { n < 320 ? 1 : min(8, n / 128) }

  /// w ← A·v for the first `n` rows. Parts of nearly as many elements each have sums of their own, which are added in their
  /// order: the bits do not depend on the threads.
  private func multiplySymmetric(
    order n: Int, _ v: UnsafePointer<S>, _ sums: MutableMatrixPointer<S>, to w: UnsafeMutablePointer<S>
  ) {
    let (leading, shares) = (a.block(0, 0, rows: n, columns: n).readOnly, Self.shares(order: n))
    if shares == 1 { return kernels.multiplySymmetric(leading, rows: 0..<n, v, to: w) }
    // All rows but the first ones in groups of four.
    func end(_ share: Int) -> Int {
      let rest = Double(n) * (1 - (Double(share + 1) / Double(shares)).squareRoot())
      return n - Int(rest) / 4 * 4
    }
    func target(_ share: Int) -> UnsafeMutablePointer<S> {
      share == shares - 1 ? w : sums.base + share * sums.rowStride
    }
    // Each number of A is read once, and used twice.
    let threads = Parallel.allowance(
      threads, microseconds: Double(n * n / 2 * MemoryLayout<S>.size) / Self.bytesPerMicrosecond)
    Parallel.perform(shares, threads: threads) { share in
      kernels.multiplySymmetric(
        leading, rows: (share == 0 ? 0 : end(share - 1))..<end(share), v, to: target(share))
    }
    for share in 0..<shares - 1 {
      kernels.axpy(
        1, VectorPointer(UnsafePointer(target(share)), count: end(share)),
        MutableVectorPointer(w, count: end(share)))
    }
  }

  /// What one core reads of the second-level cache, about.
  private static var bytesPerMicrosecond: Double { 32_000 }

  /// row ← row − coefficients·Y
  private func subtract(
    _ coefficients: MatrixPointer<S>, _ y: MutableMatrixPointer<S>, _ row: UnsafeMutablePointer<S>, count: Int
  ) {
    var call = Gemm(
      alpha: -1, a: coefficients, b: y.block(0, 0, rows: coefficients.columns, columns: count).readOnly,
      beta: 1,
      c: MutableMatrixPointer(row, rows: 1, columns: count, rowStride: count, columnStride: 1))
    call.run(kernels, threads: 1)
  }

  /// X ← X·Qᵀ for rows X, n columns each: eigenvectors of T in rows become those of A.
  func applyToRows(_ x: MutableMatrixPointer<S>) {
    let parts = Partition(max(order - 1, 0), limit: 32)
    if order < 2 { return }
    ThreadContext.current.withScratch(BlockReflector<S>.scratch(32), of: S.self) { t in
      for part in 0..<parts.parts {
        let (first, count) = (1 + parts.start(part), parts.size(part))
        let length = first + count - 1
        let v = a.block(first, 0, rows: count, columns: length).readOnly
        BlockReflector(v, tau: tau + first, scratch: t, kernels)
          .apply(toRows: x.block(0, 0, rows: x.rows, columns: length), threads: threads)
      }
    }
  }
}

extension MutableMatrixPointer {
  /// The matrix of the same shape `rows` rows below.
  @inline(__always)
  func following(_ rows: Int) -> Self { block(rows, 0, rows: self.rows, columns: columns) }
}
