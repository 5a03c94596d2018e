package import FisherLinearAlgebra
import FisherRuntime

extension JoinedGradient {
  /// [D b] as one matrix.
  package var joined: Matrix<S> {
    guard let b else { return D }
    let width = D.columns
    var joined = Matrix<S>(rows: D.rows, columns: width + 1)
    joined[rows: 0..., columns: 0..<width] = D
    joined[rows: 0..., columns: width...] = b.reshaped(rows: D.rows, columns: 1)
    return joined
  }

  /// G ← β·G + α·[D b]ᵀ·[D b] in the lower triangle, the only one that is written.
  ///
  /// The product of D with itself is one syrk; the bias adds a row, which the pass has found already.
  ///
  /// - Parameters:
  ///   - G: of as many rows and columns as [D b] has columns.
  ///   - alpha: α.
  ///   - beta: β; with 0, the old G is not read.
  ///   - backend: what computes it.
  ///   - threads: the most threads to use.
  @specialized(where S == Float) @specialized(where S == Double)
  package func addGram(
    to G: inout Matrix<S>, alpha α: S, beta β: S, on backend: any Backend, threads: Int
  ) {
    let n = D.columns
    let order = n + (b == nil ? 0 : 1)
    require(
      G.rows == order && G.columns == order,
      "JoinedGradient: [D b] is \(D.rows)×\(order) and G is \(G.rows)×\(G.columns)")
    syrk(
      alpha: α, D.transposed, beta: β, into: &G[rows: 0..<n, columns: 0..<n], on: backend, threads: threads)
    if b == nil { return }
    for (j, product) in (border + [corner]).enumerated() {
      G[n, j] = (β == 0 ? 0 : β * G[n, j]) + α * product
    }
  }

  /// Whether no element of β·G + α·[D b]ᵀ·[D b] can leave the range of the numbers, G being positive semidefinite: neither
  /// |Gᵢⱼ| nor |dᵢ·dⱼ| nor their partial sums exceed the largest diagonal element and ‖[D b]‖² (Cauchy and Schwarz), and half
  /// of the range is left for rounding.
  @specialized(where S == Float) @specialized(where S == Double)
  package func gramStaysFinite(_ G: Matrix<S>, alpha α: S, beta β: S) -> Bool {
    var largest: S = 0
    for i in 0..<G.rows { largest = max(largest, G[i, i]) }
    return squaredNorm.isFinite && β * largest + max(1, α) * squaredNorm < S.greatestFiniteMagnitude / 2
  }
}
