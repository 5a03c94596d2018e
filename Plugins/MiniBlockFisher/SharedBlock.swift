import FisherLinearAlgebra
import FisherOptimizers

/// Ĝ ← β·Ĝ + α·[D b]ᵀ·[D b] for the block that all neurons of a dense layer share: its lower triangle, the only one that
/// is kept.
///
/// The product of the weight's gradient with itself is one syrk; the bias adds a row.
struct SharedBlockUpdate<S: KernelScalar> {
  let pass: JoinedGradient<S>
  let α, β: S
  let backend: any Backend
  let threads: Int

  func callAsFunction(_ G: inout Matrix<S>) {
    let n = pass.D.columns
    syrk(
      alpha: α, pass.D.transposed, beta: β, into: &G[rows: 0..<n, columns: 0..<n], on: backend,
      threads: threads)
    guard pass.b != nil else { return }
    for (j, product) in (pass.border + [pass.corner]).enumerated() {
      G[n, j] = (β == 0 ? 0 : β * G[n, j]) + α * product
    }
  }

  /// No element of Ĝ can leave the range of the numbers: neither |Ĝᵢⱼ| nor |dᵢ·dⱼ| nor their partial sums exceed the
  /// largest diagonal element and ‖D‖² (Cauchy and Schwarz), and half of the range is left for rounding.
  func keepsFinite(_ G: Matrix<S>) -> Bool {
    var largest: S = 0
    for i in 0..<G.rows { largest = max(largest, G[i, i]) }
    return pass.squaredNorm.isFinite
      && β * largest + max(1, α) * pass.squaredNorm < S.greatestFiniteMagnitude / 2
  }
}
