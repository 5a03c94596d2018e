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
  /// Rows of T, ``stride`` apart; 0 below the diagonal.
  let t: UnsafeMutablePointer<S>
  let kernels: any KernelSet<S>.Type
  /// b
  private(set) var count = 0

  /// Elements of scratch for a block of `rows` reflectors.
  static func scratch(_ rows: Int) -> Int { 2 * wholeLanes(rows) * (wholeLanes(rows) + 1) }

  /// `rows` in whole groups of eight lanes.
  private static func wholeLanes(_ rows: Int) -> Int { (rows + 7) / 8 * 8 }

  /// Between rows of T, of its transpose, and between the vectors of a step.
  private var stride: Int { Self.wholeLanes(v.rows) }

  /// Tᵀ likewise, so that T's columns are adjacent, too.
  private var transposedT: UnsafeMutablePointer<S> { t + stride * stride }

  /// V·x for a row x.
  private var products: UnsafeMutablePointer<S> { transposedT + stride * stride }

  /// V·x times T or Tᵀ.
  private var sums: UnsafeMutablePointer<S> { products + stride }

  /// An empty block with room for as many reflectors as `v` has rows. Needs ``scratch(_:)``.
  init(_ v: MatrixPointer<S>, scratch: UnsafeMutablePointer<S>, _ kernels: any KernelSet<S>.Type) {
    (self.v, t, self.kernels) = (v, scratch, kernels)
    scratch.update(repeating: 0, count: 2 * stride * stride)
  }

  /// The block of all rows of `v`.
  init(
    _ v: MatrixPointer<S>, tau: UnsafePointer<S>, scratch: UnsafeMutablePointer<S>,
    _ kernels: any KernelSet<S>.Type
  ) {
    self.init(v, scratch: scratch, kernels)
    for j in 0..<v.rows { append(tau: tau[j]) }
  }

  /// Takes the next row of V into the block.
  mutating func append(tau: S) {
    let j = count
    kernels.multiplyRows(v.block(0, 0, rows: j, columns: v.columns), v.base + j * v.rowStride, to: products)
    sumRows(of: transposedT, count: j)
    for i in 0..<j {
      let element = -tau * sums[i]
      t[i * stride + j] = element
      transposedT[j * stride + i] = element
    }
    t[j * stride + j] = tau
    transposedT[j * stride + j] = tau
    count += 1
  }

  /// x ← x·(I − Vᵀ·T·V) for one row x.
  func apply(toRow x: UnsafeMutablePointer<S>) {
    let b = count
    if b == 0 { return }
    kernels.multiplyRows(v.block(0, 0, rows: b, columns: v.columns), x, to: products)
    sumRows(of: t, count: b)
    multiply(
      -1, MatrixPointer(UnsafePointer(sums), rows: 1, columns: b, rowStride: b, columnStride: 1),
      v.block(0, 0, rows: b, columns: v.columns), 1,
      MutableMatrixPointer(x, rows: 1, columns: v.columns, rowStride: v.columns, columnStride: 1), 1)
  }

  /// sums ← Σᵢ productsᵢ·rowᵢ, the zeros of a triangle among them: loops of other lengths in every call mispredict more
  /// than they save.
  @inline(__always)
  private func sumRows(of matrix: UnsafeMutablePointer<S>, count: Int) {
    for j in Swift.stride(from: 0, to: stride, by: 8) {
      var sum = Lanes<S>.zero
      for i in 0..<count { sum += products[i] * load(UnsafePointer(matrix + (i * stride + j))) }
      store(sum, to: sums + j)
    }
  }

  /// X ← X·(I − Vᵀ·T·V), or with Tᵀ the reflectors in the opposite order; columns of X are adjacent.
  func apply(toRows x: MutableMatrixPointer<S>, reversed: Bool = false, threads: Int) {
    let (r, b) = (x.rows, count)
    if r == 0 || b == 0 { return }
    let v = v.block(0, 0, rows: b, columns: v.columns)
    ThreadContext.current.withScratch(2 * r * b, of: S.self) { scratch in
      let w = MutableMatrixPointer(scratch, rows: r, columns: b, rowStride: b, columnStride: 1)
      let wt = MutableMatrixPointer(scratch + r * b, rows: r, columns: b, rowStride: b, columnStride: 1)
      let t = MatrixPointer(UnsafePointer(t), rows: b, columns: b, rowStride: stride, columnStride: 1)
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
