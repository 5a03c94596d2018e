import FisherCurvature

/// What the naive forms of methods with a preconditioner for each block do around it.
package struct NaivePreconditioning {
  package typealias Dense = [[Double]]

  let method: Preconditioning
  private var M: [[Double]] = []
  private var m: [[Double]] = []

  package init(_ method: Preconditioning) { self.method = method }

  /// V of all parameters.
  package mutating func vectors(_ step: ReferenceStep) -> [[Double]] {
    if M.isEmpty { M = step.gradients.map { $0.map { _ in 0 } } }
    let μ = method.placement == .before ? method.momentum : 0
    M = zip(M, step.gradients).map { zip($0, $1).map { μ * $0 + $1 } }
    return M
  }

  /// Updates the values, given Δ and V of all parameters.
  package mutating func move(_ step: inout ReferenceStep, _ Δ: [[Double]], _ V: [[Double]], lr: Double) {
    let α = lr * step.schedule
    let q = zip(Δ.joined(), V.joined()).reduce(0) { $0 + $1.0 * $1.1 }
    let κ = method.klClip
    let ν = κ > 0 && α * α * q > 0 ? min(1, (κ / (α * α * q)).squareRoot()) : 1
    if m.isEmpty { m = Δ.map { $0.map { _ in 0 } } }
    let μ = method.placement == .after ? method.momentum : 0
    for p in m.indices {
      for i in m[p].indices {
        m[p][i] = μ * m[p][i] + ν * Δ[p][i]
        step.values[p][i] = (1 - α * method.weightDecay) * step.values[p][i] - α * m[p][i]
      }
    }
  }
}
