import FisherLinearAlgebra
import FisherOptimizers

/// The last pairs of a layer, and the inverse Hessian that they make of the identity (limited-memory BFGS).
struct PairMemory<S: KernelScalar> {
  /// sᵢ and yᵢ as rows, the newest last; those before the first pair are zeros.
  let s, y: Matrix<S>
  /// How many pairs there are.
  let count: Int

  /// The layer's; at first there is none.
  init(of layer: KroneckerLayer, count: Int, in step: borrowing Step<S>) {
    let owner = layer.owner
    if let s = step.tensor("S", of: owner), let y = step.tensor("Y", of: owner), s.rows == count,
      s.columns == layer.outputs, y.rows == count, y.columns == layer.outputs
    {
      (self.s, self.y) = (s, y)
      self.count = min(count, Int(step.scalar("pairs", of: owner) ?? 0))
    } else {
      (s, y) = (Matrix(rows: count, columns: layer.outputs), Matrix(rows: count, columns: layer.outputs))
      self.count = 0
    }
  }

  /// X ← H·X.
  ///
  /// The two loops over the pairs (Nocedal 1980) are forward and backward substitution: with Rᵢⱼ = sᵢᵀyⱼ for i ≤ j and its
  /// diagonal D, the first one solves R·a = S·X and leaves Q = X − Yᵀ·a, the second one solves Rᵀ·b = D·a − Y·Q and leaves
  /// Q + Sᵀ·b. 8·p·m·n flops for m×n elements.
  func apply(to X: inout Matrix<S>, on backend: any Backend, threads: Int) {
    if count == 0 { return }
    let rows = s.rows - count..<s.rows
    let (s, y) = (s[rows: rows, columns: 0...], y[rows: rows, columns: 0...])
    let R = s.multiplied(by: y.transposed, on: backend, threads: threads)
    var a = s.multiplied(by: X, on: backend, threads: threads)
    trsm(R, triangle: .upper, into: &a, on: backend, threads: threads)
    gemm(alpha: -1, y.transposed, a, beta: 1, into: &X, on: backend, threads: threads)
    var b = Matrix<S>(rows: a.rows, columns: a.columns) { R[$0, $0] * a[$0, $1] }
    gemm(alpha: -1, y, X, beta: 1, into: &b, on: backend, threads: threads)
    trsm(R.transposed, triangle: .lower, into: &b, on: backend, threads: threads)
    gemm(s.transposed, b, beta: 1, into: &X, on: backend, threads: threads)
  }

  /// Stages the memory after it has seen a pair: the oldest goes.
  ///
  /// - Returns: whether there was one.
  func stage(_ pair: CurvaturePair?, of layer: KroneckerLayer, _ step: inout Step<S>) -> Bool {
    for (slot, former, new) in [("S", s, pair?.s), ("Y", y, pair?.y)] {
      step.set(slot, of: layer.owner, to: new.map { Self.appended(former, $0) } ?? former)
    }
    step.set("pairs", of: layer.owner, to: Double(pair == nil ? count : min(s.rows, count + 1)))
    return pair != nil
  }

  private static func appended(_ rows: Matrix<S>, _ row: [Double]) -> Matrix<S> {
    Matrix(
      rows.array.dropFirst(rows.columns) + row.map { S($0) }, rows: rows.rows, columns: rows.columns)
  }
}
