import FisherRuntime
import KernelTemplates

// Reflectors in blocks (R. Schreiber, C. Van Loan, SIAM J. Sci. Stat. Comput. 10 (1989), 53–57):
//
//     H₁·H₂ ⋯ H_b = I − Vᵀ·T·V          rows of V: the vectors v;  T upper triangular, b × b
//     T(0…j−1, j) = −τⱼ·T(0…j−1, 0…j−1)·(V(0…j−1, :)·vⱼ)       T(j, j) = τⱼ
//
// Applied to the rows of X, X·(I − Vᵀ·T·V), that is two products of matrices and a small one.

/// A product of reflectors whose vectors are the rows of a matrix, written out with their ones and zeros.
struct BlockReflector<S: KernelScalar> {
  /// Columns adjacent; the first `count` rows belong to the block.
  let v: MatrixPointer<S>
  /// Row-major, rows `v.rows` apart; 0 below the diagonal.
  let t: UnsafeMutablePointer<S>
  let kernels: any KernelSet<S>.Type
  /// b
  private(set) var count = 0

  /// Elements of scratch for a block of `rows` reflectors.
  static func scratch(_ rows: Int) -> Int { rows * (rows + 2) }

  /// An empty block with room for as many reflectors as `v` has rows. Needs ``scratch(_:)``.
  init(_ v: MatrixPointer<S>, scratch: UnsafeMutablePointer<S>, _ kernels: any KernelSet<S>.Type) {
    (self.v, t, self.kernels) = (v, scratch, kernels)
  }

  /// The block of all rows of `v`.
  init(
    _ v: MatrixPointer<S>, tau: UnsafePointer<S>, scratch: UnsafeMutablePointer<S>,
    _ kernels: any KernelSet<S>.Type
  ) {
    self.init(v, scratch: scratch, kernels)
    for j in 0..<v.rows { append(tau: tau[j]) }
  }

  private var products: UnsafeMutablePointer<S> { t + v.rows * v.rows }

  /// Takes the next row of V into the block.
  mutating func append(tau: S) {
    let (j, stride) = (count, v.rows)
    kernels.multiplyRows(v.block(0, 0, rows: j, columns: v.columns), v.base + j * v.rowStride, to: products)
    for i in 0..<stride { t[i * stride + j] = 0 }
    for i in 0..<j {
      var sum: S = 0
      for p in i..<j { sum += t[i * stride + p] * products[p] }
      t[i * stride + j] = -tau * sum
    }
    t[j * stride + j] = tau
    count += 1
  }

  /// x ← x·(I − Vᵀ·T·V) for one row x.
  func apply(toRow x: UnsafeMutablePointer<S>) {
    let (b, stride) = (count, v.rows)
    if b == 0 { return }
    kernels.multiplyRows(v.block(0, 0, rows: b, columns: v.columns), x, to: products)
    let w = products + stride
    for j in 0..<b {
      var sum: S = 0
      for i in 0...j { sum += products[i] * t[i * stride + j] }
      w[j] = sum
    }
    multiply(
      -1, MatrixPointer(UnsafePointer(w), rows: 1, columns: b, rowStride: b, columnStride: 1),
      v.block(0, 0, rows: b, columns: v.columns), 1,
      MutableMatrixPointer(x, rows: 1, columns: v.columns, rowStride: v.columns, columnStride: 1), 1)
  }

  /// X ← X·(I − Vᵀ·T·V), or with Tᵀ the reflectors in the opposite order; columns of X are adjacent.
  func apply(toRows x: MutableMatrixPointer<S>, reversed: Bool = false, threads: Int) {
    let (r, b) = (x.rows, count)
    if r == 0 || b == 0 { return }
    let v = v.block(0, 0, rows: b, columns: v.columns)
    ThreadContext.current.withScratch(2 * r * b, of: S.self) { scratch in
      let w = MutableMatrixPointer(scratch, rows: r, columns: b, rowStride: b, columnStride: 1)
      let wt = MutableMatrixPointer(scratch + r * b, rows: r, columns: b, rowStride: b, columnStride: 1)
      let t = MatrixPointer(UnsafePointer(t), rows: b, columns: b, rowStride: self.v.rows, columnStride: 1)
      multiply(1, x.readOnly, v.transposed, 0, w, threads)
      multiply(1, w.readOnly, reversed ? t.transposed : t, 0, wt, threads)
      multiply(-1, wt.readOnly, v, 1, x, threads)
    }
  }

  @inline(__always)
  private func multiply(
    _ alpha: S, _ a: MatrixPointer<S>, _ b: MatrixPointer<S>, _ beta: S, _ c: MutableMatrixPointer<S>,
    _ threads: Int
  ) {
    var call = Gemm(alpha: alpha, a: a, b: b, beta: beta, c: c)
    call.run(kernels, threads: threads)
  }
}
