import FisherOptimizers

/// AdaGrad, from its definition.
struct NaiveAdaGrad: ReferenceOptimizer {
  let method: AdaGrad
  var t = 0
  var s: [[Double]] = []

  mutating func step(_ step: inout ReferenceStep) {
    t += 1
    let α = method.lr * step.schedule / (1 + Double(t - 1) * method.lrDecay)
    if s.isEmpty { s = step.values.map { $0.map { _ in 0 } } }
    for p in step.values.indices {
      for i in step.values[p].indices {
        let g = step.gradients[p][i] + method.weightDecay * step.values[p][i]
        s[p][i] += g * g
        step.values[p][i] -= α * g / (s[p][i].squareRoot() + method.eps)
      }
    }
  }
}

/// RMSprop, from its definition.
struct NaiveRMSprop: ReferenceOptimizer {
  let method: RMSprop
  var v: [[Double]] = []
  var a: [[Double]] = []
  var b: [[Double]] = []

  mutating func step(_ step: inout ReferenceStep) {
    let ρ = method.rho
    if v.isEmpty {
      v = step.values.map { $0.map { _ in 0 } }
      (a, b) = (v, v)
    }
    for p in step.values.indices {
      for i in step.values[p].indices {
        let g = step.gradients[p][i] + method.weightDecay * step.values[p][i]
        v[p][i] = ρ * v[p][i] + (1 - ρ) * g * g
        a[p][i] = ρ * a[p][i] + (1 - ρ) * g
        let variance = method.centered ? v[p][i] - a[p][i] * a[p][i] : v[p][i]
        let d = g / (max(0, variance).squareRoot() + method.eps)
        b[p][i] = method.momentum * b[p][i] + d
        step.values[p][i] -= method.lr * step.schedule * b[p][i]
      }
    }
  }
}

/// Adam, AMSGrad and AdamW, from their definitions.
struct NaiveAdam<Decay: DecayForm>: ReferenceOptimizer {
  let method: AdamMethod<Decay>
  var m: [[Double]] = []
  var v: [[Double]] = []
  var largest: [[Double]] = []
  // β₁ᵗ and β₂ᵗ as products.
  var β1t = 1.0
  var β2t = 1.0

  mutating func step(_ step: inout ReferenceStep) {
    let (β1, β2) = (method.beta1, method.beta2)
    let (α, γ) = (method.lr * step.schedule, method.weightDecay)
    β1t *= β1
    β2t *= β2
    if m.isEmpty {
      m = step.values.map { $0.map { _ in 0 } }
      (v, largest) = (m, m)
    }
    for p in step.values.indices {
      for i in step.values[p].indices {
        var g = step.gradients[p][i]
        if Decay.isDecoupled { step.values[p][i] *= 1 - α * γ } else { g += γ * step.values[p][i] }
        m[p][i] = β1 * m[p][i] + (1 - β1) * g
        v[p][i] = β2 * v[p][i] + (1 - β2) * g * g
        largest[p][i] = max(largest[p][i], v[p][i])
        let second = method.amsgrad ? largest[p][i] : v[p][i]
        let corrected = (second / (1 - β2t)).squareRoot()
        step.values[p][i] -= α * (m[p][i] / (1 - β1t)) / (corrected + method.eps)
      }
    }
  }
}
