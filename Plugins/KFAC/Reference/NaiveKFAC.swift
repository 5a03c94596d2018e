import FisherCurvature
import FisherLinearAlgebra
import FisherOptimizers

/// K-FAC from its definition: the damped Kronecker product of every block is formed, and every step solves it by
/// elimination.
struct NaiveKFAC: ReferenceOptimizer {
  typealias Dense = [[Double]]

  let method: KFAC
  var factors: NaiveFactors
  var preconditioning: NaivePreconditioning
  /// The damped product of each block, as it was when it was last refreshed.
  var F: [Dense] = []

  init(method: KFAC) {
    self.method = method
    factors = NaiveFactors(method.factors)
    preconditioning = NaivePreconditioning(method.preconditioning)
  }

  mutating func step(_ step: inout ReferenceStep) {
    let blocks = NaiveFactors.blocks(step.parameters)
    let captures =
      method.statistics == .sampled
      ? (try? step.objective.sampledCaptures())?.layers : step.captures?.layers
    factors.begin(step, blocks, captures ?? [:])
    let V = preconditioning.vectors(step)
    var Δ = V
    for (b, block) in blocks.enumerated() {
      if F.count == b { F.append([]) }
      if factors.isRefresh(b, of: blocks.count) { F[b] = product(factors.A[b], factors.G[b]) }
      let v = NaiveFactors.matrix(block, V, step.parameters)
      let x = eliminate(F[b], v.flatMap { $0 })
      let width = v[0].count
      NaiveFactors.put(v.indices.map { Array(x[$0 * width..<($0 + 1) * width]) }, block, into: &Δ)
    }
    preconditioning.move(&step, Δ, V, lr: method.lr)
  }

  /// (G + √λ/π·I) ⊗ (A + π·√λ·I), for rows of [W b] one after the other.
  private func product(_ A: Dense, _ G: Dense) -> Dense {
    func mean(_ X: Dense) -> Double { X.indices.reduce(0) { $0 + X[$1][$1] } / Double(X.count) }
    let canSplit = method.dampingSplit == .pi && mean(A) > 0 && mean(G) > 0
    let π = canSplit ? (mean(A) / mean(G)).squareRoot() : 1
    let γ = method.damping.squareRoot()
    let n = A.count
    return (0..<G.count * n).map { r in
      (0..<G.count * n).map { c in
        let g = G[r / n][c / n] + (r / n == c / n ? γ / π : 0)
        return g * (A[r % n][c % n] + (r % n == c % n ? γ * π : 0))
      }
    }
  }
}
