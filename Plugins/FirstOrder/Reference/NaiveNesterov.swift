import FisherOptimizers

/// NAdam, from its definition.
struct NaiveNAdam: ReferenceOptimizer {
  let method: NAdam
  var m: [[Double]] = []
  var v: [[Double]] = []
  // μ₁ … μₜ.
  var μs: [Double] = []
  var β2t = 1.0

  mutating func step(_ step: inout ReferenceStep) {
    let (β1, β2, ψ) = (method.beta1, method.beta2, method.momentumDecay)
    let (α, γ) = (method.lr * step.schedule, method.weightDecay)
    func μ(_ t: Int) -> Double { β1 * (1 - 0.5 * realPower(0.96, Double(t) * ψ)) }
    if m.isEmpty {
      m = step.values.map { $0.map { _ in 0 } }
      v = m
    }
    μs.append(μ(μs.count + 1))
    β2t *= β2
    let (now, next) = (μs.last!, μ(μs.count + 1))
    let product = μs.reduce(1, *)
    for p in step.values.indices {
      for i in step.values[p].indices {
        var g = step.gradients[p][i]
        if method.decoupled { step.values[p][i] *= 1 - α * γ } else { g += γ * step.values[p][i] }
        m[p][i] = β1 * m[p][i] + (1 - β1) * g
        v[p][i] = β2 * v[p][i] + (1 - β2) * g * g
        let mean = (1 - now) * g / (1 - product) + next * m[p][i] / (1 - product * next)
        step.values[p][i] -= α * mean / ((v[p][i] / (1 - β2t)).squareRoot() + method.eps)
      }
    }
  }
}

/// Adan, from its definition.
struct NaiveAdan: ReferenceOptimizer {
  let method: Adan
  var former: [[Double]] = []
  var m: [[Double]] = []
  var v: [[Double]] = []
  var n: [[Double]] = []
  // β₁ᵗ, β₂ᵗ and β₃ᵗ as products.
  var powers = (1.0, 1.0, 1.0)

  mutating func step(_ step: inout ReferenceStep) {
    let (β1, β2, β3) = (method.beta1, method.beta2, method.beta3)
    let (α, γ) = (method.lr * step.schedule, method.weightDecay)
    powers = (powers.0 * β1, powers.1 * β2, powers.2 * β3)
    if m.isEmpty {
      former = step.gradients
      m = step.values.map { $0.map { _ in 0 } }
      (v, n) = (m, m)
    }
    for p in step.values.indices {
      for i in step.values[p].indices {
        let g = step.gradients[p][i]
        let d = g - former[p][i]
        m[p][i] = β1 * m[p][i] + (1 - β1) * g
        v[p][i] = β2 * v[p][i] + (1 - β2) * d
        n[p][i] = β3 * n[p][i] + (1 - β3) * (g + β2 * d) * (g + β2 * d)
        let η = α / ((n[p][i] / (1 - powers.2)).squareRoot() + method.eps)
        let moved = step.values[p][i] - η * (m[p][i] / (1 - powers.0) + β2 * v[p][i] / (1 - powers.1))
        step.values[p][i] = moved / (1 + α * γ)
      }
    }
    former = step.gradients
  }
}
